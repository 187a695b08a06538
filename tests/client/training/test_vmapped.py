"""Gradients of every moment at once, a few devices at a time."""

from dataclasses import replace

import pytest
import torch
from rankings import ranker, ranking

from client.training.cohort_batch import Batch
from client.training.gradients import GRADIENTS_AT_ONCE
from client.training.vmapped import Vmapped
from ranking.model.build import trainable_names
from ranking.parameters import flatten
from ranking.settings import RANKINGS


def engine(trained):
    made = ranker(trained, seed=1)
    start = flatten(made, trainable_names(made, trained))
    return Vmapped(made, ranking(trained)), start


def test_more_devices_than_its_shape_has_are_taken_in_turn_and_in_order(lab, monkeypatch):
    vmapped, start = engine("head")
    examples = lab.moments("head", [6] * 10)
    batch = Batch(
        inputs=examples.inputs.view(5, 2, 6, 64),
        gains=examples.gains.view(5, 2, 6),
        where=examples.where.view(5, 2, 6),
    )
    rows = torch.from_numpy(start)[None] + 0.1 * torch.arange(5)[:, None]
    together, in_turn = (torch.zeros(rows.shape, dtype=torch.float64) for _ in range(2))
    batch.inputs[3, 1, 0] = float("nan")
    assert vmapped.add_clipped(together, rows, batch, clip=0.3).tolist() == [0, 0, 0, 1, 0]

    turns, of_moments = [], vmapped.of_moments
    monkeypatch.setattr(vmapped, "shape", replace(vmapped.shape, devices=2))
    monkeypatch.setattr(
        vmapped,
        "of_moments",
        lambda some, part: turns.append(len(some)) or of_moments(some, part),
    )
    bad = vmapped.add_clipped(in_turn, rows, batch, clip=0.3)

    assert turns == [2, 2, 1]
    assert bad.tolist() == [0, 0, 0, 1, 0]
    torch.testing.assert_close(in_turn, together, rtol=0, atol=1e-6)


@pytest.mark.parametrize("trained", RANKINGS)
def test_the_gradients_of_a_batch_fit_into_the_memory_that_they_may_take(trained):
    vmapped, start = engine(trained)
    shape = vmapped.shape
    assert shape.devices >= 1
    assert shape.devices * shape.moments * len(start) <= GRADIENTS_AT_ONCE


def test_where_the_encoder_trains_devices_are_computed_one_at_a_time():
    assert engine("all")[0].shape.devices == 1
    assert engine("taste")[0].shape.devices == 64
