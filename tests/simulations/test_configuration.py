"""Every typo and every value out of range is refused in one sentence, with a way out."""

import copy
import functools
import math
import operator
import re
from typing import Literal, get_args, get_origin

import pytest
import yaml
from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt

from protocol.choices import OneOf
from protocol.rebuild import SettingError, rebuild, to_plain
from protocol.setting_names import known_paths, setting_hints
from server.aggregation.uniform_mean import UniformMean
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.overrides import CONF, check_overrides
from simulations.configuration.settings import Config

COMPARISON = "defaults: [override /study: comparison]\nname: x\n"
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
SUGGESTED = re.compile(r"Did you mean '([^']+)'\?")
PATHS = known_paths(Config)
SECTIONS = {path.rpartition(".")[0] for path in PATHS} - {""}
KEYS = [path for path in PATHS if path not in SECTIONS]
SHARE_SUGGESTED_RIGHT = 0.95
ONE_OFS = {
    path: note
    for path, hint in setting_hints(Config).items()
    for note in getattr(hint, "__metadata__", ())
    if isinstance(note, OneOf)
}
NEEDED = {
    "study=comparison": ["+study.arms.a=[]"],
    "study=search": ["+study.arms.a=[]"],
    "photos=folder": ["photos.root=DIR"],
}
"""What must be typed beside a choice, for it has no default."""


def taken(path):
    """What is typed to have a section of the first kind that has this setting."""
    section, _, name = path.rpartition(".")
    if section not in ONE_OFS:
        return []
    choice = f"{section.replace('.', '/')}={ONE_OFS[section].owners(name)[0]}"
    return [choice, *NEEDED.get(choice, [])]


def kinds_of(path):
    """The kinds of the section that ``path`` is a setting of, or None."""
    return ONE_OFS.get(path.rpartition(".")[0])


def typos(path):
    """The last part of ``path`` with a letter in its middle dropped, doubled and swapped."""
    parent, dot, name = path.rpartition(".")
    middle = len(name) // 2
    before, letter, after = name[:middle], name[middle], name[middle + 1 :]
    wrong = {
        before + after,
        before + 2 * letter + after,
        before[:-1] + letter + before[-1:] + after,
    }
    return [f"{parent}{dot}{other}" for other in sorted(wrong - {name, ""})]


TYPOS = [(path, typo) for path in KEYS for typo in typos(path) if typo not in PATHS]


def sentence_of(failure):
    text = str(failure)
    assert "\n" not in text
    assert text[-1] in ".?"
    return text


def refusal(overrides):
    with pytest.raises(SettingError) as caught:
        compose(overrides)
    return sentence_of(caught.value)


def right(message, path):
    found = SUGGESTED.search(message)
    return found is not None and found[1] == path


def test_there_are_enough_typos_to_try():
    assert 2 * len(TYPOS) + len(KEYS) >= 150


@pytest.mark.parametrize("prefix", ["", "+", "++"])
def test_every_typed_typo_is_refused_and_nearly_always_finds_the_right_name(prefix):
    found = 0
    for path, typo in TYPOS:
        with pytest.raises(SettingError) as caught:
            check_overrides([f"{prefix}{typo}=1"])
        message = sentence_of(caught.value)
        assert message.startswith(f"'{typo}' is not a setting.")
        found += right(message, path)
    assert found >= SHARE_SUGGESTED_RIGHT * len(TYPOS)


def nested(path, value):
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


@pytest.fixture
def written(tmp_path):
    """Writes an experiment into a folder that Hydra searches; returns how to run it."""
    (tmp_path / "experiment").mkdir()

    def write(text):
        (tmp_path / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{text}")
        return [f"hydra.searchpath=[file://{tmp_path}]", "experiment=mine"]

    return write


def test_a_typo_in_a_file_is_refused_with_the_file_and_nearly_always_the_name(written):
    cases = [(path, typos(path)[0]) for path in KEYS if not kinds_of(path)][::3]
    found = 0
    for path, typo in cases:
        message = refusal(written(yaml.safe_dump({"name": "mine"} | nested(typo, 1))))
        in_file = "" if path.rpartition(".")[0] in ONE_OFS else "conf/experiment/mine.yaml: "
        assert message.startswith(f"{in_file}'{typo}' is not a setting.")
        found += right(message, path)
    assert found >= SHARE_SUGGESTED_RIGHT * len(cases)


def test_a_typo_in_a_file_is_refused_also_in_a_section_of_several_kinds(written):
    for path in [path for path in KEYS if kinds_of(path)][::3]:
        typo = typos(path)[0]
        words = written(yaml.safe_dump({"name": "mine", **nested(typo, 1)}))
        assert right(refusal([*words, *taken(path)]), path)


def limits(hint):
    """The ends of a setting's range, also where it may be null."""
    parts = () if get_origin(hint) is tuple else (hint, *get_args(hint))
    declared = [one for part in parts for one in _metadata(part)]
    return [end for one in declared for end in _ends(one)]


def _metadata(hint):
    return getattr(hint, "__metadata__", ())


def _ends(limit):
    return list(limit) if isinstance(limit, GroupedMetadata) else [limit]


def outside(limit):
    match limit:
        case Gt(gt=bound) | Lt(lt=bound):
            return bound
        case Ge(ge=bound):
            return bound - 1
        case Le(le=bound):
            return bound * 2 + 1


def is_numeric(hint):
    return hint in (int, float) or bool(limits(hint))


HINTS = {path: setting_hints(Config)[path] for path in KEYS}
NUMERIC = [path for path, hint in HINTS.items() if is_numeric(hint)]
TAGS = [f"{section}.{choice.tag}" for section, choice in ONE_OFS.items()]
CHOICES = [path for path, hint in HINTS.items() if get_origin(hint) is Literal]
OUT_OF_RANGE = [(path, outside(end)) for path in NUMERIC for end in limits(HINTS[path])]


@pytest.fixture(scope="module")
def rebuilt():
    """Gives one setting of the quickstart another value; returns why that is refused."""
    plain = functools.cache(lambda *typed: to_plain(compose(typed)))

    def refused(path, value):
        changed = copy.deepcopy(plain(*taken(path)))
        *sections, name = path.split(".")
        inside = functools.reduce(operator.getitem, sections, changed)
        inside[name] = value
        with pytest.raises(SettingError) as caught:
            rebuild(Config, changed)
        return sentence_of(caught.value)

    return refused


def test_every_value_out_of_range_is_refused_with_its_setting_and_the_range(rebuilt):
    for path, value in OUT_OF_RANGE:
        message = rebuilt(path, value)
        assert message.startswith(f"{path}="), message
        assert " is out of range: it must be " in message


@pytest.mark.parametrize("value", ["abc", "", True, [1], {}, math.nan, math.inf, 10**400])
def test_every_numeric_setting_refuses_what_is_no_number_in_its_range(rebuilt, value):
    for path in NUMERIC:
        assert rebuilt(path, value).startswith(f"{path}=")


@pytest.mark.parametrize(
    "path", ["seed", "photos.side", "training.rate", "server.optimizer.lr"]
)
def test_a_typed_value_is_refused_like_one_in_a_file(path):
    typed = refusal([f"{path}=-1"])
    assert typed.startswith(f"{path}=-1 is out of range: ")
    assert refusal([f"{path}=abc"]).startswith(f"{path}=abc must be a ")


@pytest.mark.parametrize("value", ["nan", "-inf", "true", "[1]"])
@pytest.mark.parametrize("path", ["training.lr", "privacy.example.epsilon"])
def test_a_number_is_finite_and_neither_a_boolean_nor_a_list(path, value):
    assert refusal([f"{path}={value}"]).startswith(f"{path}=")


@pytest.mark.parametrize("value", ["1.5", "8.0", "1e1", "null", "'8'"])
def test_a_count_is_a_whole_number(value):
    assert refusal([f"server.rounds={value}"]).endswith("must be a whole number.")


@pytest.mark.parametrize("path", TAGS)
def test_which_kind_a_section_is_follows_from_its_group_alone(path):
    group = path.rpartition(".")[0].replace(".", "/")
    assert refusal([f"{path}=x"]) == (
        f"'{path}' follows from the choice of {group}; type {group}=x."
    )


@pytest.mark.parametrize("path", [path for path in CHOICES if path not in TAGS])
def test_a_choice_that_is_none_is_refused_with_the_choices(path):
    allowed = get_args(HINTS[path])
    message = refusal([*taken(path), f"{path}={allowed[0]}x"])
    assert f"is not one of {', '.join(allowed)}." in message
    assert right(message, allowed[0])


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
            "photos=sinthetic is not one of folder, synthetic. Did you mean 'synthetic'?",
        ),
        (["photos=3"], "photos=3 is not one of folder, synthetic."),
        (
            ["privacy/exampel=none"],
            "'privacy/exampel' is not a setting. Did you mean 'privacy/example'?",
        ),
        (
            ["privacy=none"],
            "'privacy' is a section of settings, not none. Did you mean 'privacy/device'?",
        ),
        (["epsilon=3"], "'epsilon' is not a setting. Did you mean 'privacy.example.epsilon'?"),
        (
            ["server=adam"],
            "server=adam is not one of default. Did you mean 'server/optimizer=adam'?",
        ),
        (["server.lr=1"], "'server.lr' is not a setting. Did you mean 'server.optimizer.lr'?"),
        (
            ["server.tau=1"],
            "'server.tau' is not a setting. Did you mean 'server.optimizer.tau'?",
        ),
        (
            ["privacy.device=matrix"],
            "'privacy.device' is a section of settings; type privacy/device=matrix.",
        ),
        (["~server.rounds"], "'server.rounds' cannot be removed; give it another value."),
        (
            ["study.grids=[{lr: {low: ['training.lr=1']}}]"],
            "'study.grids' belongs in a file of conf/experiment/, as main-result.yaml has it; "
            "it cannot be typed.",
        ),
        (
            ["+study.grids.lr={low: ['training.lr=1']}"],
            "'study.grids' belongs in a file of conf/experiment/, as main-result.yaml has it; "
            "it cannot be typed.",
        ),
        (
            ["study.arms={low: ['training.lr=1']}"],
            "'study.arms' belongs in a file of conf/experiment/, as main-result.yaml has it; "
            "one entry may be typed: '+study.arms.NAME=[\"training.lr=1\"]'.",
        ),
        (["+server.rounds=3"], "'server.rounds' is there already; leave out the '+'."),
        (
            ["privacy={example: {epsilom: 3}}"],
            "'privacy.example.epsilom' is not a setting. "
            "Did you mean 'privacy.example.epsilon'?",
        ),
        (
            ["server.rounds=1,2"],
            "Ambiguous value for argument 'server.rounds=1,2'; add -m to run each, or write "
            "name=[a,b] for a list.",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(overrides, message):
    assert refusal(overrides) == message


@pytest.mark.parametrize("word", ["server.rounds", "photos.root=/tmp/x(1", "a b=3"])
def test_what_is_no_override_is_refused_with_the_way_to_quote(word):
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
def test_a_file_that_cannot_be_composed_is_refused_by_name(written, text, message):
    assert refusal(written(text)) == message


def test_a_file_that_is_no_yaml_is_refused_with_the_line(written):
    assert "/experiment/mine.yaml, line 3: " in refusal(written("name: [a\nb: 3"))


NONE = "privacy/example=none"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["server.cohort=121"],
            "server.cohort=121 exceeds the number of devices that train, 120; lower it.",
        ),
        (["photos=folder"], "photos.root is empty but photos=folder; add photos.root=DIR."),
        (
            ["photos=folder", "photos.root=DIR", "simulation.cache=DIR"],
            "simulation.cache would not notice a photograph that changed; with photos=folder "
            "leave it null.",
        ),
        (
            ["simulation.address=foo"],
            "simulation.address='foo' is no address of a Ray cluster; use auto, "
            "ray://host:port, host:port of its head node, or null for this machine.",
        ),
        (["simulation.cache="], "simulation.cache is empty; name a folder, or use null."),
        (
            ["photos=folder", "photos.root="],
            "photos.root is empty but photos=folder; add photos.root=DIR.",
        ),
        (
            ["++photos.root=DIR"],
            "photos.root belongs to photos=folder: take that, or leave the setting out.",
        ),
        (["photos.devices=null"], "photos.devices=null must be a whole number."),
        (
            ["ranking.weights=nowhere.safetensors"],
            "ranking.weights=nowhere.safetensors is no file; use public, null or a safetensors "
            "file.",
        ),
        (
            [NONE, "privacy.example.epsilon=3"],
            "privacy.example.epsilon belongs to privacy/example=dpsgd: take that, or leave the "
            "setting out.",
        ),
        (
            [NONE, "privacy.example.max_participations=3"],
            "privacy.example.max_participations belongs to privacy/example=dpsgd: take that, "
            "or leave the setting out.",
        ),
        (
            [NONE, "privacy.example.numbers=integers"],
            "privacy.example.numbers belongs to privacy/example=dpsgd: take that, or leave the "
            "setting out.",
        ),
        (
            ["privacy.example.numbers=null"],
            "privacy.example.numbers=null is not one of float64, integers.",
        ),
        (
            ["privacy.example.numbers=integers", "privacy.example.noise_multiplier=257"],
            "privacy.example.noise_multiplier=257 is more than the 256 that "
            "privacy.example.numbers=integers can draw; lower it, or use float64.",
        ),
        (
            ["privacy.example.noise_multiplier=0"],
            "privacy.example.noise_multiplier=0 keeps no privacy.example.epsilon=8; "
            "set one of them to null.",
        ),
        (
            ["privacy/device=gaussian", "privacy.device.quantile=0.5"],
            "privacy.device.quantile belongs to privacy/device=adaptive: take that, or leave "
            "the setting out.",
        ),
        (
            ["privacy/device=none", "privacy.device.strategy=sqrt"],
            "privacy.device.strategy belongs to privacy/device=matrix or privacy/device=auto: "
            "take that, or leave the setting out.",
        ),
        (
            ["privacy/device=gaussian", "privacy.device.noise_cohort=100"],
            "privacy.device.noise_cohort and privacy.device.noise_population describe one "
            "larger federation: give both, or set both to null.",
        ),
        (
            [
                "privacy/device=gaussian",
                "privacy.device.noise_cohort=5",
                "privacy.device.noise_population=1000",
            ],
            "privacy.device.noise_cohort=5 must lie between server.cohort=40 and "
            "privacy.device.noise_population=1000.",
        ),
        (
            [
                "privacy/device=gaussian",
                "privacy.device.numbers=integers",
                "privacy.device.clipping=layers",
            ],
            "privacy.device.clipping=layers is not for privacy.device.numbers=integers; "
            "use float64, or leave it as it was.",
        ),
        (
            ["privacy.claim=true", "privacy.noise=insecure_seeded"],
            "privacy.noise=insecure_seeded draws noise and samples from the seed, which is no "
            "claim, and privacy.claim=true asks for one; use privacy.noise=secure.",
        ),
        (
            ["privacy.claim=true", NONE, "privacy/device=none"],
            "privacy.claim=true asks for a claim but nothing is protected; add "
            "privacy/example=dpsgd or privacy/device=gaussian.",
        ),
        (
            ["privacy/device=matrix", "privacy.device.largest_cohort=60"],
            "privacy.device.largest_cohort=60 has no effect with "
            "privacy.device.participation=separated, whose cohorts have one size; set it to "
            "null.",
        ),
        (
            ["privacy/device=matrix", "privacy.device.strategy=null"],
            "privacy.device.strategy=null is not one of banded, sqrt, buffered, independent.",
        ),
        (
            ["privacy.example.epsilon=null"],
            "privacy.example.epsilon and privacy.example.noise_multiplier are both null; "
            "give one of them.",
        ),
        (
            ["privacy.example.delta=null"],
            "privacy.example.delta=null must be a finite number.",
        ),
        (
            ["simulation.algorithm=centralised"],
            "simulation.algorithm=centralised is a baseline without privacy; "
            "add privacy/example=none privacy/device=none.",
        ),
        (
            ["study=comparison"],
            "study=comparison has no arm; write study.arms or study.grids in a file of "
            "conf/experiment/, or take study=none for one plain run.",
        ),
        (
            ["experiment=main-result", "study.seeds=[]"],
            "study.seeds is empty but study=comparison runs every arm at each of them; give "
            "one, as study.seeds=[0].",
        ),
        (
            ["experiment=main-result", "study.seeds=[1,1]"],
            "study.seeds holds a seed twice; give each once.",
        ),
        (
            ["study=search", "+study.arms.a=[]", "photos.held_out_devices=0"],
            "study=search judges its trials on devices that never train, and "
            "photos.held_out_devices=0 has none; raise it.",
        ),
        (
            ["name=../elsewhere"],
            "name: '../elsewhere' names a folder; use letters, digits, '-', '_', '.'.",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_the_way_out(overrides, message):
    assert refusal(overrides) == message


def test_a_rule_without_a_bound_is_refused_where_the_server_protects_devices(monkeypatch):
    monkeypatch.setattr(UniformMean, "sensitivity", None)
    assert refusal(["privacy/device=gaussian"]).startswith(
        "server.aggregation.rule=mean has no"
    )
    compose(["privacy/device=local"])


def test_the_noise_may_be_given_instead_of_epsilon():
    overrides = ["privacy.example.epsilon=null", "privacy.example.noise_multiplier=1.5"]
    assert compose(overrides).privacy.example.noise_multiplier == 1.5


def test_a_setting_may_be_typed_with_two_pluses_as_hydra_allows():
    assert compose(["++server.rounds=3"]).server.rounds == 3


def test_a_composed_configuration_is_frozen_and_plain():
    config = compose([])
    assert hash(config.server) == hash(compose([]).server)
    assert to_plain(config)["server"]["rounds"] == config.server.rounds


def test_composing_leaves_hydras_global_state_as_it_was():
    from hydra.core.global_hydra import GlobalHydra

    compose([])
    assert not GlobalHydra.instance().is_initialized()


def test_composing_works_inside_another_hydra_application(tmp_path):
    import hydra
    from hydra.core.global_hydra import GlobalHydra

    (tmp_path / "config.yaml").write_text("a: 1")
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.3"):
        others = GlobalHydra.instance().hydra
        assert compose([]).name == "quickstart"
        assert GlobalHydra.instance().hydra is others
        assert hydra.compose("config").a == 1
