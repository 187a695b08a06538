import dataclasses

import numpy as np
import pytest
import torch
from rankings import ranking

from ranking.initial import initial_ranker
from ranking.parameters import flatten
from ranking.settings import RANKINGS
from ranking.weights import Origin, save_weights
from server.model import ServerModel

SCRATCH = ranking("head")


def weights(ranker):
    return {name: value.clone() for name, value in ranker.state_dict().items()}


def test_random_weights_are_a_function_of_the_seed_and_not_of_the_global_generator():
    first = weights(initial_ranker(SCRATCH, seed=3))
    torch.rand(5)
    again, other = (weights(initial_ranker(SCRATCH, seed=seed)) for seed in (3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_every_seed_of_the_settings_is_taken(seed):
    initial_ranker(SCRATCH, seed=seed)


@pytest.mark.parametrize("trained", list(RANKINGS))
def test_trainable_and_frozen_parts_are_the_whole_ranker(trained):
    model = ServerModel.initial(ranking(trained), seed=0)
    whole = sum(parameter.numel() for parameter in model.ranker.parameters())
    assert model.trainable.size + model.frozen.size == whole
    assert model.trainable.dtype == model.frozen.dtype == np.float32
    assert len(model.digest) == 64


def test_a_file_of_weights_is_what_training_starts_from(tmp_path):
    source = initial_ranker(SCRATCH, seed=1)
    path = tmp_path / "ranker.safetensors"
    save_weights(source, path, origin=Origin(seed=1, command="test", ranking=SCRATCH, side=48))
    named = dataclasses.replace(SCRATCH, weights=str(path))
    loaded, expected = weights(initial_ranker(named, seed=2)), weights(source)
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


def test_a_missing_file_of_weights_is_named(tmp_path):
    named = dataclasses.replace(SCRATCH, weights=str(tmp_path / "none.safetensors"))
    with pytest.raises(ValueError, match=r"none\.safetensors"):
        initial_ranker(named, seed=0)


def test_released_parameters_go_into_the_ranker_and_leave_the_frozen_part_alone():
    model = ServerModel.initial(SCRATCH, seed=0)
    before = weights(model.ranker)
    model.take(model.trainable + np.float32(1))
    after = weights(model.ranker)
    for name in before:
        moved = not torch.equal(before[name], after[name])
        assert moved == (name in model.names)


@pytest.mark.parametrize("trained", list(RANKINGS))
def test_what_a_run_starts_from_scores_by_finite_numbers_and_what_overflows_does_not(trained):
    model = ServerModel.initial(ranking(trained), seed=0)
    assert model.scores_finitely(model.trainable, side=16)
    assert not model.scores_finitely(np.full_like(model.trainable, 3e38), side=16)


def test_what_was_tried_is_in_the_ranker():
    model = ServerModel.initial(SCRATCH, seed=0)
    model.scores_finitely(model.trainable + np.float32(1), side=16)
    assert (flatten(model.ranker, model.names) == model.trainable + np.float32(1)).all()
