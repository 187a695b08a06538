"""Pre-training on a public split of a few devices."""

import pytest
import torch

from photos.synthetic.owner import public_owner
from photos.synthetic.population import public_library
from ranking.model.build import build_ranker
from ranking.weights import load_weights
from simulations.pretraining.pretrain import SIDE, Lesson, pretrain
from simulations.pretraining.public_figures import public_figures
from simulations.pretraining.public_moments import FACTS, gather

SMALL = 16  # pixels of a side


@pytest.fixture(scope="module")
def moments():
    return gather(side=SMALL, seed=3, devices=range(2))


def test_the_public_moments_are_those_of_the_public_libraries_in_order(moments):
    libraries = [public_library(side=SMALL, seed=3, device=device) for device in range(2)]
    expected = [moment for library in libraries for moment in library.moments]
    assert moments.where.sum(1).tolist() == [len(moment.photos) for moment in expected]
    row, last = len(expected) - 1, expected[-1]
    rows = moments.places[row][moments.where[row]]
    pixels = torch.from_numpy(last.photos).permute(0, 3, 1, 2)
    assert torch.equal(moments.pixels[rows], pixels)
    assert moments.gains[row, : len(last.photos)].tolist() == pytest.approx(
        last.expected_gain.tolist(), rel=1e-6
    )
    assert moments.given[row, : len(last.photos)].tolist() == [
        2.0**feedback - 1 for feedback in last.feedback.tolist()
    ]


def test_the_facts_of_a_photo_are_its_attributes_and_its_scene(moments):
    roll = public_owner(seed=3, device=0).roll
    assert moments.facts.shape[1] == FACTS == 18
    torch.testing.assert_close(
        moments.facts[: len(roll.attributes), :10], torch.from_numpy(roll.attributes).float()
    )
    assert moments.facts[:, 10:].sum(1).eq(1).all()
    assert moments.facts[0, 10 + roll.scenes[0]] == 1


def test_batches_hold_every_moment_once_and_shuffle_only_with_a_generator(moments):
    assert torch.cat(moments.batches(5)).tolist() == list(range(len(moments.where)))
    shuffled = torch.cat(moments.batches(5, generator=torch.Generator().manual_seed(0)))
    assert shuffled.tolist() != sorted(shuffled.tolist()) == list(range(len(moments.where)))


def test_a_lesson_lowers_the_loss_and_leaves_the_taste_alone(moments):
    lesson = Lesson(seed=0, steps=200)
    losses = [lesson.learn(moments) for _ in range(8)]
    assert losses[-1] < 0.9 * losses[0]
    assert lesson.ranker.list_ranker.taste.weight.eq(0).all()


def test_the_figures_name_every_attribute_and_every_part(moments):
    ranker = build_ranker("head", generator=torch.Generator().manual_seed(0))
    figures = public_figures(ranker, moments)
    assert -1 < figures.ndcg < 1
    assert len(figures.explained) == 10
    assert set(figures.norms) == {"linear", "head", "lora", "all"}
    assert all(norm > 0 for norm in figures.norms.values())
    assert len(list(figures.lines())) == 3


def test_pre_training_writes_the_same_weights_twice_and_keeps_global_randomness(
    tmp_path, capsys
):
    rankers = []
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    for name in ("first", "second"):
        path = tmp_path / f"{name}.safetensors"
        pretrain(out=path, seed=1, devices=1, held_out=1)
        ranker = build_ranker("head", generator=torch.Generator().manual_seed(9))
        origin = load_weights(ranker, path)
        rankers.append(ranker.state_dict())
    assert (origin.seed, origin.side) == (1, SIDE)
    assert origin.command == "darkroom pretrain --seed 1"
    assert all(torch.equal(rankers[0][name], value) for name, value in rankers[1].items())
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert "1 of 1 devices" in capsys.readouterr().out
