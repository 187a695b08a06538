from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from client import cohort_batch
from client.cohort_batch import Shelf, cuts

HOST = torch.device("cpu")


def test_a_draw_holds_every_drawn_moment_once_and_little_else(lab):
    devices = [lab.moments("head", own, seed=n) for n, own in enumerate([[2, 9], [5, 4, 9]])]
    shelf = Shelf(devices, accelerator=HOST)
    draw = shelf.draw(np.array([True, False, True, True, True]))

    batches = list(shelf.batches(draw, moments=32, spare=2))

    assert draw.order.tolist() == [1, 0]
    assert [tuple(batch.where.shape) for batch in batches] == [(2, 1, 9), (1, 2, 5)]
    assert [batch.where.sum().item() for batch in batches] == [9 + 2, 5 + 4]
    assert batches[0].inputs[1, 0, :2].equal(devices[0].inputs[0, :2])
    assert batches[0].inputs[1, 0, 2:].abs().sum() == 0


@pytest.mark.parametrize(
    ("spare", "expected"),
    [(0, [0, 2, 3, 5]), (1, [0, 2, 3, 5]), (3, [0, 3, 5]), (15, [0, 3, 5]), (100, [0, 5])],
)
def test_ranks_are_cut_where_padding_costs_more_than_another_batch(spare, expected):
    # apart 10+10 | 8 | 1+1 are 30 photos; joined 10+10+10 | 1+1 are 32; all in one are 50
    assert cuts([10, 10, 8, 1, 1], most=9, spare=spare) == expected


@given(
    photos=st.lists(st.integers(1, 30), min_size=1, max_size=7).map(
        lambda found: sorted(found, reverse=True)
    ),
    most=st.integers(1, 4),
    spare=st.integers(0, 40),
)
def test_no_way_to_cut_ranks_costs_less(photos, most, spare):
    def cost(bounds):
        return sum(spare + photos[a] * (b - a) for a, b in pairwise(bounds))

    inner = range(1, len(photos))
    every = [
        [0, *chosen, len(photos)]
        for size in range(len(photos))
        for chosen in combinations(inner, size)
    ]
    allowed = [one for one in every if max(b - a for a, b in pairwise(one)) <= most]
    assert cost(cuts(photos, most=most, spare=spare)) == min(map(cost, allowed))


def test_equal_moments_make_one_batch_up_to_the_most_that_one_may_hold(lab):
    devices = [lab.moments("head", [6] * 5, seed=seed) for seed in range(3)]
    shelf = Shelf(devices, accelerator=HOST)
    everything = shelf.draw(np.ones(15, bool))

    shapes = [tuple(b.where.shape) for b in shelf.batches(everything, moments=4, spare=0)]

    assert shapes == [(3, 4, 6), (3, 1, 6)]


def test_a_draw_of_nothing_has_no_batch(lab):
    shelf = Shelf([lab.moments("head", [3]), lab.moments("head", [])], accelerator=HOST)

    assert list(shelf.batches(shelf.draw(np.zeros(1, bool)), moments=4, spare=0)) == []


def test_large_photos_make_small_batches(lab):
    pixels = lab.moments("all", [4, 4, 4])
    shelf = Shelf([pixels], accelerator=HOST)
    draw = shelf.draw(np.ones(3, bool))
    whole = pixels.inputs.numel()

    def moments():
        return [batch.where.shape[1] for batch in shelf.batches(draw, moments=8, spare=100)]

    assert moments() == [3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohort_batch, "VALUES", whole * 2 // 3)
        assert moments() == [2, 1]
        patch.setattr(cohort_batch, "VALUES", 1)
        assert moments() == [1, 1, 1]
