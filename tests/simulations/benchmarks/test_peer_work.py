"""The work of every framework is the same lists."""

import torch

from simulations.benchmarks.peer_work import BATCH, LISTS, lists


def test_a_device_has_the_same_lists_whenever_they_are_asked_for():
    (inputs, gains), (again, _), (others, _) = lists(3), lists(3), lists(4)
    assert torch.equal(inputs, again)
    assert not torch.equal(inputs, others)
    assert inputs.shape == (50, 12, 64)
    assert gains.shape == (50, 12)
    assert sorted(gains.unique().tolist()) == [0, 1, 2, 3]


def test_lists_are_cut_into_whole_batches():
    assert LISTS % BATCH == 0
