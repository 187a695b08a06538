from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from client.isolation import LEAST_MOMENTS, padded_length
from client.training import cohort_batch
from client.training.cohort_batch import CohortMoments, Shape, cuts

HOST = torch.device("cpu")


def shelf_of(devices, *, moments=32, spare=0, fixed=False, most=64):
    shape = Shape(devices=most, moments=moments, spare=spare, fixed=fixed)
    return CohortMoments(devices, shape=shape, accelerator=HOST)


def test_batches_hold_every_drawn_moment_once_at_the_length_of_its_own(lab):
    devices = [lab.moments("head", own, seed=n) for n, own in enumerate([[2, 9], [5, 4, 9]])]
    cohort = shelf_of(devices)

    # of the first device the moment of two photos, of the second those of four and of nine
    short, long = cohort.batches(np.array([True, False, False, True, True]))

    assert tuple(short.where.shape) == (2, 2, 6)
    assert short.devices is None
    assert short.where.sum((1, 2)).tolist() == [2, 4]
    assert short.inputs[0, 0, :2].equal(devices[0].inputs[0, :2])
    assert short.inputs[0, 0, 2:].abs().sum() == 0
    assert tuple(long.where.shape) == (1, 2, 12)
    assert long.devices.tolist() == [1]
    assert long.inputs[0, 0, :9].equal(devices[1].inputs[2])


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8), moments=st.integers(1, 5))
def test_every_batch_has_two_moments_at_least_and_none_twice(lab, lengths, moments):
    cohort = shelf_of([lab.moments("head", lengths)], moments=moments)

    batches = list(cohort.batches(np.ones(len(lengths), bool)))

    assert all(b.where.shape[1] >= LEAST_MOMENTS for b in batches)
    seen = [int(n) for b in batches for n in b.where.sum(2).flatten() if n]
    assert sorted(seen) == sorted(lengths)
    for batch in batches:
        photos = batch.where.sum(2)
        assert {padded_length(int(n)) for n in photos.flatten() if n} == {batch.where.shape[2]}


def test_batches_of_one_fixed_size_are_filled_with_moments_of_padding(lab):
    devices = [lab.moments("head", own, seed=n) for n, own in enumerate([[2], [5, 4], [3]])]

    cohort = shelf_of(devices, moments=4, spare=100, fixed=True, most=5)

    (batch,) = cohort.batches(np.ones(4, bool))

    assert tuple(batch.where.shape) == (5, 4, 6)
    assert batch.devices.tolist() == [0, 1, 2, 0, 0]
    assert batch.where.sum((1, 2)).tolist() == [2, 9, 3, 0, 0]


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

    batches = shelf_of(devices, moments=4).batches(np.ones(15, bool))

    # beside the last moment of each stands one of padding
    assert [tuple(batch.where.shape) for batch in batches] == [(3, 4, 6), (3, 2, 6)]


def test_a_draw_of_nothing_has_no_batch(lab):
    cohort = shelf_of([lab.moments("head", [3]), lab.moments("head", [])])

    assert list(cohort.batches(np.zeros(1, bool))) == []


def test_large_photos_make_small_batches(lab):
    pixels = lab.moments("all", [12, 12, 12])
    cohort = shelf_of([pixels], moments=8, spare=100)
    whole = pixels.inputs.numel()

    def moments():
        return [batch.where.shape[1] for batch in cohort.batches(np.ones(3, bool))]

    assert moments() == [3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohort_batch, "VALUES", whole * 2 // 3)
        assert moments() == [2, 2]
        patch.setattr(cohort_batch, "VALUES", 1)
        assert moments() == [2, 2, 2]
