"""A cap that hardly ever cuts: the lemma by hand and on rounds counted out, and its ends."""

import math
from dataclasses import replace

import numpy as np
import pytest
from counted_cohorts import cohorts
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from privacy.accounting import pld, rdp
from privacy.accounting.coupling import LARGEST_EPSILON, epsilon, lost_to_cuts
from privacy.sampling.capped import CappedPoissonSampling

RUN = {"noise_multiplier": 2.0, "rounds": 20, "delta": 1e-5}
WIDE = CappedPoissonSampling.expecting(50, devices=1000, cap=None)


def uncut(sampling, *, noise_multiplier, rounds, delta):
    return rdp.epsilon(
        rate=sampling.rate,
        noise_multiplier=noise_multiplier,
        steps=rounds,
        delta=delta,
        orders=rdp.WHOLE_ORDERS,
    )


def test_what_a_cut_adds_to_delta_worked_by_hand():
    """At ε = 0, two worlds that differ in 3 rounds of 1 in 1000: (1 + 1) · 3 / 1000."""
    assert lost_to_cuts(0.0, rounds=3, overflow=0.001) == pytest.approx(0.006)
    assert lost_to_cuts(math.log(9), rounds=1, overflow=0.01) == pytest.approx(0.1)


def test_beyond_the_largest_epsilon_no_delta_holds_a_cut():
    below = math.nextafter(LARGEST_EPSILON, 0)
    assert math.isfinite(lost_to_cuts(below, rounds=1, overflow=1e-300))
    for most in (LARGEST_EPSILON, math.inf, math.nan):
        assert lost_to_cuts(most, rounds=1, overflow=1e-300) == math.inf
        assert lost_to_cuts(most, rounds=1, overflow=0.0) == 0.0


def delta_of(chosen, epsilon, *, sigma):
    """The δ at ε of a round whose devices all add one, by numeric integration."""
    outputs = np.linspace(-12 * sigma, chosen.devices + 12 * sigma, 8001)
    density = norm.pdf(outputs[:, None], np.arange(chosen.devices + 1), sigma)
    there, away = np.zeros(chosen.devices + 1), np.zeros(chosen.devices + 1)
    for likely, members in cohorts(chosen):
        there[len(members)] += likely
        away[len(members) - (0 in members)] += likely
    present, absent = density @ there, density @ away
    removed = np.maximum(present - math.exp(epsilon) * absent, 0).sum()
    added = np.maximum(absent - math.exp(epsilon) * present, 0).sum()
    return max(removed, added) * (outputs[1] - outputs[0])


@given(
    devices=st.integers(2, 5),
    rate=st.floats(0.05, 0.95),
    share=st.floats(0, 1),
    epsilon=st.floats(0, 3),
    sigma=st.floats(0.3, 3),
)
@settings(deadline=None)
def test_a_round_under_a_cap_has_the_delta_without_it_and_what_is_lost_at_most(
    devices, rate, share, epsilon, sigma
):
    cap = 1 + round(share * (devices - 1))
    cut = CappedPoissonSampling(devices=devices, rate=rate, cap=cap)
    free = delta_of(replace(cut, cap=devices), epsilon, sigma=sigma)
    lost = lost_to_cuts(epsilon, rounds=1, overflow=cut.overflow)
    assert delta_of(cut, epsilon, sigma=sigma) <= free + lost + 1e-9


def test_without_a_cap_half_of_delta_is_set_aside_for_nothing():
    free = replace(WIDE, cap=1000)
    assert free.overflow == 0.0
    assert epsilon(free, **RUN) == uncut(WIDE, **RUN | {"delta": 5e-6})


def test_a_cap_that_hardly_cuts_costs_what_it_would_without_one():
    """Nine deviations above 50 a round is cut once in 10^14 rounds."""
    assert WIDE.cap == 114
    assert epsilon(WIDE, **RUN) == uncut(WIDE, **RUN | {"delta": 5e-6})


@pytest.mark.parametrize("cap", [50, 75])
def test_a_cap_that_cuts_more_often_than_delta_holds_has_no_bound_here(cap):
    """75 of 50 expected: a round in 5,000, and 20 rounds of them above 1e-5."""
    tight = replace(WIDE, cap=cap)
    assert 20 * tight.overflow > 1e-5
    assert epsilon(tight, **RUN) == math.inf


@pytest.mark.parametrize("noise", [1.0, 4.0])
@pytest.mark.parametrize("rounds", [1, 100])
def test_it_is_never_below_the_accounting_that_looks_at_the_cap(noise, rounds):
    run = RUN | {"noise_multiplier": noise, "rounds": rounds}
    assert epsilon(WIDE, **run) >= pld.capped_epsilon(WIDE, **run)


def test_no_noise_costs_everything_and_no_round_nothing():
    assert epsilon(WIDE, **RUN | {"noise_multiplier": 0.0}) == math.inf
    assert epsilon(WIDE, **RUN | {"rounds": 0}) == 0.0
