"""`darkroom pretrain` as it is typed: what reaches the training, and what is refused."""

from pathlib import Path

import pytest

from simulations.configuration.hydra_bridge import compose
from simulations.pretraining import pretrain as pretraining
from simulations.pretraining.stage import Stage

OTHER_SIZES = "set these as the file has them, name other weights, or make some with "


@pytest.fixture
def trained(monkeypatch):
    """Takes the place of the training: remembers what it was asked for."""
    asked = []
    monkeypatch.setattr(pretraining, "pretrain", lambda **named: asked.append(named))
    return asked


def test_without_a_word_both_stages_are_trained_in_the_default_sizes(darkroom, trained):
    assert darkroom("pretrain")[0] == 0
    assert trained == [
        {
            "out": Path("public.safetensors"),
            "seed": 0,
            "ranking": compose([]).ranking,
            "stage": Stage.BOTH,
            "without": frozenset(),
            "overrides": [],
        }
    ]


def test_stage_seed_families_and_sizes_reach_the_training(darkroom, trained):
    words = ("--stage", "list", "--seed", "7", "--out", "mine.safetensors")
    left_out = ("--without", "rank", "--without", "deviation")
    sizes = ("ranking/list=transformer", "ranking.list.width=96")
    assert darkroom("pretrain", *words, *left_out, *sizes)[0] == 0
    (asked,) = trained
    assert (asked["stage"], asked["seed"]) == (Stage.LIST, 7)
    assert asked["out"] == Path("mine.safetensors")
    assert asked["without"] == {"rank", "deviation"}
    assert asked["ranking"] == compose(["ranking.list.width=96"]).ranking
    assert asked["overrides"] == list(sizes)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--stage", "lst"],
            "Invalid value for '--stage': 'lst' is not one of 'both', 'encoder', 'list', "
            "'real'.",
        ),
        (["--stage"], "Option '--stage' requires an argument."),
        (["--stag", "list"], "'--stag' is not an option. Did you mean '--stage'?"),
        (
            ["ranking.list.widht=96"],
            "'ranking.list.widht' is not a setting. Did you mean 'ranking.list.width'?",
        ),
        (
            ["ranking/list=probs"],
            "ranking/list=probs is not one of probes, transformer. Did you mean 'probes'?",
        ),
        (
            ["ranking.list.heads=5"],
            "ranking.list.heads=5 does not divide ranking.list.width=64; change one of them.",
        ),
        (
            ["--without", "colour"],
            "--without colour is none of distance, deviation, rank, redundancy, "
            "place_in_burst; name one of these.",
        ),
        (
            ["--out", "nowhere/mine.safetensors"],
            "--out nowhere/mine.safetensors: no file can be written in nowhere; make it first.",
        ),
        (
            ["--stage", "list", "ranking.weights=gone.safetensors"],
            "ranking.weights=gone.safetensors is no file; use public, null or a safetensors "
            "file.",
        ),
        (
            ["--stage", "list", "ranking.weights=null"],
            "--stage list reads the encoder of ranking.weights, and null names none; name a "
            "file, or leave public.",
        ),
        *(
            (
                ["ranking.list.width=96", word],
                f"{word} says nothing to darkroom pretrain, which reads ranking/encoder, "
                "ranking/list, their sizes and ranking.weights; leave it out.",
            )
            for word in ("training.lr=2", "ranking=head", "ranking.context=false", "seed=3")
        ),
        (
            ["ranking.list.own=9"],
            "the public photos have ranking.list.own=10 features and ranking.list.scenes=8 "
            "kinds of moments; leave these.",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(darkroom, tmp_path, words, sentence):
    status, out, err = darkroom("pretrain", *words)
    assert (status, out, err) == (1, "", f"darkroom: {sentence}\n")
    assert not list(tmp_path.iterdir())


def test_an_encoder_of_other_sizes_than_the_public_one_is_refused_with_both(darkroom, tmp_path):
    status, out, err = darkroom("pretrain", "--stage", "list", "ranking.encoder.width=96")
    assert (status, out) == (1, "")
    assert "holds weights of other sizes: ranking.encoder.width=96 where the file has 64" in err
    assert OTHER_SIZES in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())
