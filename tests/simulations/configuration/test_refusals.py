"""Hydra's complaints cost one sentence: the file or the setting, and the way out."""

import pytest
import yaml

from simulations.configuration.overrides import CONF, one_of

COMPARISON = "defaults: [override /study: comparison]\nname: x\n"
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
SHARE_SUGGESTED_RIGHT = 0.95


def nested(path, value):
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def is_of_several_kinds(path):
    parts = path.split(".")
    return any(one_of(".".join(parts[:end])) for end in range(1, len(parts)))


def test_a_typo_in_a_file_is_refused_with_the_file_and_nearly_always_the_name(
    keys, refusal, suggests, typos, written
):
    cases = [(path, typos(path)[0]) for path in keys if not is_of_several_kinds(path)][::3]
    found = 0
    for path, typo in cases:
        message = refusal(written(yaml.safe_dump({"name": "mine"} | nested(typo, 1))))
        assert message.startswith(f"conf/experiment/mine.yaml: '{typo}' is not a setting.")
        found += suggests(message, path)
    assert found >= SHARE_SUGGESTED_RIGHT * len(cases)


def test_a_typo_in_a_file_is_refused_also_in_a_section_of_several_kinds(
    keys, refusal, suggests, taken, typos, written
):
    for path in list(filter(is_of_several_kinds, keys))[::6]:
        typo = typos(path)[0]
        words = written(yaml.safe_dump({"name": "mine", **nested(typo, 1)}))
        assert suggests(refusal([*words, *taken(path)]), path)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["experiment=quikstart"],
            f"experiment=quikstart is not one of {', '.join(EXPERIMENTS)}. "
            "Did you mean 'quickstart'?",
        ),
        (
            ["photos=sinthetic"],
            "photos=sinthetic is not one of flair, flickr_aes, folder, library, para, "
            "photo_triage, synthetic. Did you mean 'synthetic'?",
        ),
        (
            ["ranking/list=probs"],
            "ranking/list=probs is not one of probes, transformer. Did you mean 'probes'?",
        ),
        (
            ["ranking=tast"],
            "ranking=tast is not one of all, head, linear, lora, taste, taste_scenes. "
            "Did you mean 'taste'?",
        ),
        (
            ["ranking=probes"],
            "ranking=probes is not one of all, head, linear, lora, taste, taste_scenes. "
            "Did you mean 'ranking/list=probes'?",
        ),
        (
            ["server=adam"],
            "server=adam is not one of default. Did you mean 'server/optimizer=adam'?",
        ),
        (
            ["server.rounds=1,2"],
            "Ambiguous value for argument 'server.rounds=1,2'; add -m to run each, or write "
            "name=[a,b] for a list.",
        ),
    ],
)
def test_what_hydra_refuses_is_said_with_what_is_allowed(refusal, overrides, message):
    assert refusal(overrides) == message


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["study=comparison", 'study.arms.mine=["seed=1"]'],
            "'study.arms.mine' is not there yet; to add it, type '+study.arms.mine=…'.",
        ),
        (
            ["experiment=main-result", "+study.arms.no-privacy=seed"],
            "'study.arms.no-privacy' is there already; leave out the '+'.",
        ),
        (
            ["study=comparison", "~study.arms.mine"],
            "'study.arms.mine' is not there; leave '~study.arms.mine' out.",
        ),
        (
            ["experiment=main-result", '~study.arms.no-privacy=["seed=1"]'],
            "'study.arms.no-privacy' has another value; to remove it whatever it is, type "
            "'~study.arms.no-privacy'.",
        ),
        (
            ["hydra.rum.dir=x"],
            "'hydra.rum.dir' is none of Hydra's settings; darkroom simulate --cfg hydra shows "
            "them.",
        ),
        (["+hydra.run.dir=x"], "'hydra.run.dir' is there already; leave out the '+'."),
        (["~hydra.run"], "'hydra.run' cannot be removed; give it another value."),
        (["photos@x=folder"], "'photos' has one place; leave out all from '@' to '='."),
    ],
)
def test_a_name_that_hydra_cannot_override_add_or_remove_has_a_way_out(
    refusal, overrides, message
):
    assert refusal(overrides) == message


@pytest.mark.parametrize("word", ["server.rounds", "photos.root=/tmp/x(1", "a b=3"])
def test_what_is_no_override_is_refused_with_the_way_to_quote(refusal, word):
    message = refusal([word])
    assert message.startswith(f"'{word}' is not name=value: ")
    assert "quote special characters" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "privcy: {example: {epsilon: 3}}",
            "conf/experiment/mine.yaml: 'privcy' is not a setting. Did you mean 'privacy'?",
        ),
        (
            "defaults: [override /privacy/exampel: none]",
            "conf/experiment/mine.yaml: 'privacy/exampel' is not a group. "
            "Did you mean 'privacy/example'?",
        ),
        (
            "defaults: [override /privacy/example: nonne]",
            "privacy/example=nonne is not one of dpsgd, none. Did you mean 'none'?",
        ),
        (
            "name: x\nseed: ${server.roundz}",
            "seed: Interpolation key 'server.roundz' not found.",
        ),
        (
            f"{COMPARISON}study: {{arms: {{a/b: []}}}}",
            "study.arms: 'a/b' names a folder; use letters, digits, '-', '_', '.'.",
        ),
        (
            f"{COMPARISON}study: {{grids: [{{lr: {{0/1: []}}}}]}}",
            "study.grids: '0/1' names a folder; use letters, digits, '-', '_', '.'.",
        ),
        (
            f"{COMPARISON}study: {{grids: [{{lr: {{}}}}]}}",
            "study.grids[0] makes no arm: it needs an axis, and each axis a value; leave the "
            "grid out, or write them as axis: {name: [override, …]}.",
        ),
        (
            f"{COMPARISON}study: {{grids: [{{lr: {{low: []}}}}], arms: {{low: []}}}}",
            "study: two arms are named low; rename one of study.arms or a value of "
            "study.grids.",
        ),
        (
            f"{COMPARISON}study: {{grids: [{{lr: {{slow: []}}}}], without: [slwo]}}",
            "study.without: 'slwo' is no arm of study.grids; name one of theirs, or leave it "
            "out. Did you mean 'slow'?",
        ),
        (
            f"{COMPARISON}study: {{grids: [{{lr: [training.lr=1]}}]}}",
            'study.grids[0].lr=["training.lr=1"] must be a section of names.',
        ),
        (
            "name: x\nstudy: {seeds: [0]}",
            "study.seeds belongs to study=comparison: take that, or leave the setting out.",
        ),
        ("name: ???", "'name' is missing: it has no default."),
    ],
)
def test_a_file_that_cannot_be_composed_is_refused_by_name(refusal, written, text, message):
    assert refusal(written(text)) == message


def test_a_file_that_is_no_yaml_is_refused_with_the_line(refusal, written):
    assert "/experiment/mine.yaml, line 3: " in refusal(written("name: [a\nb: 3"))
