"""Pre-training on a public split of two devices: what is written, and what is refused."""

import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from photos.synthetic.owner import public_owner
from ranking.encoders import Real
from ranking.model.build import build_ranker
from ranking.model.encoders.real import RealEncoder
from ranking.model.ranker import Ranker
from ranking.parameters import module_digest
from ranking.weights import load_weights, read_origin
from simulations.pretraining import gradient_norms
from simulations.pretraining import pretrain as module
from simulations.pretraining.pretrain import MOMENTS_A_DEVICE, Public, one_thread, pretrain
from simulations.pretraining.stage import Stage

TWO = Public(encoder=2, list=2, held_out=1)


@dataclass(frozen=True)
class Made:
    """A file of weights, and what was said while it was made."""

    path: Path
    said: str

    def ranker(self) -> Ranker:
        ranking = read_origin(self.path).ranking
        ranker = build_ranker(ranking, generator=torch.Generator().manual_seed(9))
        load_weights(ranker, self.path)
        return ranker


@pytest.fixture(scope="module")
def make(little, tmp_path_factory):
    """Pre-trains with small photos and few gradients; settings and sizes may be changed."""

    def make(*, stage=Stage.BOTH, seed=1, without=frozenset(), overrides=(), **changes):
        path = tmp_path_factory.mktemp("made") / "mine.safetensors"
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
            patch.setattr(module, "SIDE", 16)
            patch.setattr(gradient_norms, "GRADIENTS", 2)
            pretrain(
                out=path,
                seed=seed,
                ranking=little(**changes),
                stage=stage,
                without=without,
                public=TWO,
                overrides=overrides,
            )
        return Made(path=path, said=said.getvalue())

    return make


@pytest.fixture(scope="module")
def both(make):
    return make()


def test_both_stages_write_a_file_that_loads_and_says_where_it_comes_from(both, little):
    origin = read_origin(both.path)
    assert (origin.seed, origin.side, origin.photos) == (1, 16, "synthetic")
    assert origin.command == "darkroom pretrain --stage both --seed 1"
    assert origin.ranking == little()
    ranker = both.ranker()
    assert ranker.list_ranker.token.weight.any()
    assert not ranker.list_ranker.taste.weight.any()
    assert not ranker.list_ranker.scene_token.weight.any()


def test_what_is_trained_is_said_with_how_good_it_is(both):
    lines = both.said.splitlines()
    starts = [
        "encoder:     2 of 2 devices   loss ",
        "variance explained within moments: sharp ",
        "",
        *[f"list model: pass {number:2}   loss " for number in range(1, 11)],
        "oracle-normalised NDCG@1 on public devices that were held out: ",
        "variance explained within moments: sharp ",
        "scenes told: ",
        "median gradient norm of a moment: taste ",
        f"{both.path}: ",
    ]
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))
    assert lines[2].endswith(" ms a photo on this machine")
    assert lines[-1].endswith(f"seed 1, weights {module_digest(both.ranker())}")


def test_the_same_seed_gives_the_same_weights_whatever_will_be_trained_later(both, make):
    """Nor does it matter what global randomness was, or how many threads there were."""
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    again = make(trained="lora", loss="mse", context=False)
    assert read_origin(again.path) == read_origin(both.path)
    assert module_digest(again.ranker()) == module_digest(both.ranker())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_the_list_stage_reads_a_files_encoder_and_leaves_it_as_it_is(both, make, probes):
    left_out = frozenset({"rank", "deviation"})
    words = ("ranking/list=probes", f"ranking.weights={both.path}")
    made = make(
        stage=Stage.LIST,
        seed=2,
        weights=str(both.path),
        list=probes,
        without=left_out,
        overrides=words,
    )
    origin, ranker = read_origin(made.path), made.ranker()
    assert module_digest(ranker.encoder) == module_digest(both.ranker().encoder)
    assert origin.ranking.list == probes
    assert origin.ranking.weights is None
    assert origin.command == (
        "darkroom pretrain --stage list --seed 2 --without deviation --without rank "
        f"ranking/list=probes ranking.weights={both.path.name}"
    )
    assert "encoder" not in made.said


def test_the_encoder_stage_leaves_the_list_model_as_it_was_drawn(make, little):
    made = make(stage=Stage.ENCODER)
    drawn = build_ranker(little(), generator=torch.Generator().manual_seed(1))
    ranker = made.ranker()
    assert module_digest(ranker.list_ranker) == module_digest(drawn.list_ranker)
    assert module_digest(ranker.encoder) != module_digest(drawn.encoder)
    assert "list model" not in made.said


@pytest.mark.parametrize(
    ("changes", "options", "sentence"),
    [
        (
            {"own": 9},
            {},
            "the public photos have ranking.list.own=10 features and ranking.list.scenes=8 "
            "kinds of moments; leave these.",
        ),
        (
            {"scenes": 7},
            {"stage": Stage.LIST},
            "the public photos have ranking.list.own=10 features and ranking.list.scenes=8 "
            "kinds of moments; leave these.",
        ),
        (
            {"context": 12},
            {},
            "the public tastes know 0, 1, 11, 21, 22, 23 features of context, not "
            "ranking.list.context=12; take one of these.",
        ),
        (
            {},
            {"without": frozenset({"rank", "colour"})},
            "--without colour is none of distance, deviation, rank, redundancy, "
            "place_in_burst; name one of these.",
        ),
        (
            {},
            {"stage": Stage.LIST},
            "--stage list reads the encoder of ranking.weights, and null names none; name a "
            "file, or leave public.",
        ),
        (
            {"heads": 5},
            {},
            "ranking.list.heads=5 does not divide ranking.list.width=16; change one of them.",
        ),
    ],
)
def test_what_cannot_be_trained_is_one_sentence_and_nothing_is_written(
    little, tmp_path, changes, options, sentence
):
    ranking = little(list=replace(little().list, **changes))
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        pretrain(out=tmp_path / "mine", seed=0, ranking=ranking, public=TWO, **options)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_missing_is_refused_before_anything_is_trained(
    little, tmp_path, capsys
):
    with pytest.raises(ValueError, match=r"^--out .*no file can be written in"):
        pretrain(out=tmp_path / "nowhere" / "mine", seed=0, ranking=little(), public=TWO)
    assert capsys.readouterr().out == ""


def test_the_list_stage_refuses_an_encoder_that_is_missing_or_of_other_sizes(
    both, little, tmp_path
):
    other = little(weights=str(both.path), encoder=replace(little().encoder, width=64))
    missing = little(weights=str(tmp_path / "none"))
    for ranking, reason in ((other, r"ranking\.encoder\.width=64"), (missing, "is missing")):
        with pytest.raises(ValueError, match=reason):
            pretrain(
                out=tmp_path / "mine", seed=0, ranking=ranking, stage=Stage.LIST, public=TWO
            )
    assert not list(tmp_path.iterdir())


def test_the_encoder_alone_is_trained_for_list_models_of_any_sizes(make, little):
    """Features that the public tastes do not have matter to the list model alone."""
    made = make(stage=Stage.ENCODER, list=replace(little().list, own=7, context=2))
    assert read_origin(made.path).ranking.list.own == 7


def test_a_public_device_has_about_as_many_moments_as_the_plan_is_made_for():
    moments = [public_owner(seed=0, device=device).roll.moments for device in range(400)]
    # Their deviation is about 16: the mean of 400 devices is within 2.4 of it.
    assert np.mean(moments) == pytest.approx(MOMENTS_A_DEVICE, abs=2.4)


def _fail_on_one_thread() -> None:
    with one_thread():
        assert torch.get_num_threads() == 1
        raise KeyError


def test_all_is_computed_on_one_thread_and_others_come_back_after_a_failure():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyError):
            _fail_on_one_thread()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_over_an_encoder_that_comes_with_its_weights_the_list_model_alone_is_trained(
    make, little, tmp_path
):
    """On pictures, of which eight things are known by themselves, and one kind of moment."""
    real = Real(width=12)
    sizes = replace(little().list, own=8, scenes=1, context=19)
    made = make(stage=Stage.LIST, encoder=real, list=sizes, weights=None)
    assert read_origin(made.path).photos == "sample"
    assert "encoder" not in made.said
    shipped = RealEncoder(real)
    shipped.begin()
    assert module_digest(made.ranker().encoder) == module_digest(shipped)
    with pytest.raises(ValueError, match=r"^--stage both trains the encoder, .* --stage list"):
        pretrain(out=tmp_path / "mine", seed=0, ranking=little(encoder=real), public=TWO)
    assert not list(tmp_path.iterdir())


def test_the_stage_of_the_real_encoder_writes_its_file_and_trains_nothing(
    little, tmp_path, monkeypatch, capsys
):
    asked = []
    monkeypatch.setattr(
        module, "write_real", lambda out, **how: asked.append((out, how)) or ["it"]
    )
    pretrain(out=tmp_path / "real", seed=4, ranking=little(), stage=Stage.REAL)
    command = "darkroom pretrain --stage real --seed 4"
    assert asked == [(tmp_path / "real", {"side": 48, "seed": 4, "command": command})]
    assert capsys.readouterr().out == "it\n"
