"""Coins of devices: each its own, and never more of them than the cap."""

import math
from dataclasses import replace

import numpy as np
import pytest
from counted_cohorts import cohorts
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chisquare

from privacy.noise import SeededSource
from privacy.sampling.capped import CappedPoissonSampling

seeds = st.integers(0, 2**32)


@pytest.mark.parametrize(
    ("cohort", "devices", "cap", "expected"),
    [
        # 4 + 9 · 2
        (4.0, 100, None, 22),
        # 2 + 9 · 1.41421 is 14.7, rounded up
        (2.0, 100, None, 15),
        (4.0, 20, None, 20),
        (4.0, 100, 6, 6),
        (4.0, 5, 6, 5),
    ],
)
def test_a_cap_is_nine_deviations_above_what_is_expected_where_none_is_given(
    cohort, devices, cap, expected
):
    found = CappedPoissonSampling.expecting(cohort, devices=devices, cap=cap)
    assert (found.devices, found.cap) == (devices, expected)
    assert found.expected == pytest.approx(cohort)


def test_overflow_is_the_probability_that_more_are_drawn_than_may_take_part():
    """Three fair coins: all three fall so in 1/8, and two or three in 1/2."""
    thrice = CappedPoissonSampling(devices=3, rate=0.5, cap=2)
    assert thrice.overflow == pytest.approx(1 / 8)
    assert replace(thrice, cap=1).overflow == pytest.approx(1 / 2)
    assert replace(thrice, cap=3).overflow == 0


def test_each_device_tosses_its_own_coin():
    chosen = CappedPoissonSampling(devices=40, rate=0.3, cap=40)
    rounds = [chosen.draw(stream=SeededSource(1).stream(n)) for n in range(4000)]
    sizes = np.bincount([len(one) for one in rounds], minlength=41)
    expected = 4000 * binom.pmf(np.arange(41), 40, 0.3)
    usual = expected > 5
    observed = np.append(sizes[usual], sizes[~usual].sum())
    assert chisquare(observed, np.append(expected[usual], expected[~usual].sum())).pvalue > 1e-3
    included = np.bincount(np.concatenate(rounds), minlength=40) / 4000
    assert np.abs(included - 0.3).max() < 4.5 * math.sqrt(0.21 / 4000)


def test_too_many_are_cut_to_the_cap_at_random():
    chosen = CappedPoissonSampling(devices=10, rate=1.0, cap=4)
    rounds = [chosen.draw(stream=SeededSource(2).stream(n)) for n in range(3000)]
    assert {len(one) for one in rounds} == {4}
    assert all((np.diff(one) > 0).all() for one in rounds)
    included = np.bincount(np.concatenate(rounds), minlength=10) / 3000
    assert np.abs(included - 0.4).max() < 4.5 * math.sqrt(0.24 / 3000)


def test_a_cohort_under_a_cap_is_as_likely_as_it_is_counted_out():
    chosen = CappedPoissonSampling(devices=4, rate=0.6, cap=2)
    likely = {}
    for probability, members in cohorts(chosen):
        likely[members] = likely.get(members, 0.0) + probability
    seen = dict.fromkeys(likely, 0)
    for number in range(4000):
        seen[tuple(chosen.draw(stream=SeededSource(3).stream(number)).tolist())] += 1
    expected = [4000 * likely[members] for members in seen]
    assert min(expected) > 5
    assert chisquare(list(seen.values()), expected).pvalue > 1e-3


@given(seed=seeds, devices=st.integers(1, 30), rate=st.floats(0, 1), cap=st.integers(1, 30))
def test_a_draw_is_distinct_devices_ascending_and_no_more_than_the_cap(
    seed, devices, rate, cap
):
    chosen = CappedPoissonSampling(devices=devices, rate=rate, cap=cap)
    drawn = chosen.draw(stream=SeededSource(seed).stream())
    assert drawn.dtype == np.int64
    assert len(drawn) <= cap
    assert (np.diff(drawn) > 0).all()
    assert set(drawn.tolist()) <= set(range(devices))


@given(seed=seeds, devices=st.integers(1, 30), more=st.integers(0, 10), rate=st.floats(0, 1))
def test_devices_that_join_change_no_coin_of_those_that_were_there(seed, devices, more, rate):
    few = CappedPoissonSampling(devices=devices, rate=rate, cap=devices)
    many = replace(few, devices=devices + more, cap=devices + more)
    drawn, others = (one.draw(stream=SeededSource(seed).stream()) for one in (few, many))
    assert drawn.tolist() == [device for device in others.tolist() if device < devices]


@given(seed=seeds, rate=st.floats(0, 1), cap=st.integers(1, 12))
def test_a_cap_only_takes_away(seed, rate, cap):
    free = CappedPoissonSampling(devices=12, rate=rate, cap=12)
    all_drawn, some = (
        one.draw(stream=SeededSource(seed).stream()) for one in (free, replace(free, cap=cap))
    )
    assert set(some.tolist()) <= set(all_drawn.tolist())
    assert len(some) == min(cap, len(all_drawn))


def test_rates_of_zero_and_one_draw_nobody_and_everybody():
    never = CappedPoissonSampling(devices=9, rate=0.0, cap=9)
    assert never.draw(stream=SeededSource(1).stream()).tolist() == []
    always = replace(never, rate=1.0)
    assert always.draw(stream=SeededSource(1).stream()).tolist() == list(range(9))
