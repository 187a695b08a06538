"""What a device can meet under a cap: against every cohort counted, and other accountants."""

import math

import numpy as np
import pytest
from counted_cohorts import cohorts
from dp_accounting.pld import privacy_loss_distribution as peer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom, norm

from privacy.accounting import pld
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian, least_noise
from privacy.mechanisms.independent.integer_gaussian import least_noise as least_integer_noise
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.crowds import alone, crowds

DELTA = 1e-3


def released(chosen, terms, *, outputs, sigma):
    """The density of the noisy sum of a round's cohort."""
    found = np.zeros_like(outputs)
    for likely, members in cohorts(chosen):
        found += likely * norm.pdf(outputs, sum(terms[one] for one in members), sigma)
    return found


def exact(chosen, others, *, sigma, delta=DELTA):
    """The ε of a round with these others, in the worse direction: by numeric integration."""
    reach = sum(map(abs, others)) + 1 + 10 * sigma
    # with 8,001 the sum is off by 1.4e-6 at the last example: more than the test lets pass
    outputs = np.linspace(-reach, reach, 32_001)
    present, absent = (
        released(chosen, (own, *others), outputs=outputs, sigma=sigma) for own in (1.0, 0.0)
    )
    width = outputs[1] - outputs[0]

    def excess(epsilon):
        removed = np.maximum(present - math.exp(epsilon) * absent, 0).sum()
        added = np.maximum(absent - math.exp(epsilon) * present, 0).sum()
        return max(removed, added) * width - delta

    return brentq(excess, 0, 200) if excess(0) > 0 else 0.0


def told(chosen, *, sigma, rounds=1, delta=DELTA):
    return pld.capped_epsilon(
        chosen, noise_multiplier=sigma, rounds=rounds, delta=delta, interval=1e-3
    )


@st.composite
def rounds(draw):
    """A small population under a cap, its others' terms, and the noise."""
    devices = draw(st.integers(1, 5))
    chosen = CappedPoissonSampling(
        devices=devices,
        rate=draw(st.floats(0.02, 1.0)),
        cap=draw(st.integers(1, devices)),
    )
    others = draw(st.lists(st.floats(-1, 1), min_size=devices - 1, max_size=devices - 1))
    return chosen, others, draw(st.floats(0.3, 4.0))


def of(devices, rate, cap):
    return CappedPoissonSampling(devices=devices, rate=rate, cap=cap)


@settings(max_examples=40, deadline=None)
@given(rounds())
@example((of(5, 0.3, 1), [-1.0] * 4, 0.5))
@example((of(5, 1.0, 2), [-1.0] * 4, 0.5))
@example((of(4, 0.6, 3), [0.0] * 3, 1.0))
@example((of(5, 0.9, 4), [-1.0, -1.0, 1.0, 1.0], 0.7))
@example((of(3, 1.0, 3), [1.0, 1.0], 0.3125))
def test_no_others_can_make_a_round_cost_more_than_is_reported(case):
    chosen, others, sigma = case
    assert exact(chosen, others, sigma=sigma) <= told(chosen, sigma=sigma) * (1 + 1e-6) + 1e-6


@pytest.mark.parametrize("cap", [1, 2, 3, 4])
@pytest.mark.parametrize(("rate", "sigma"), [(0.3, 1.0), (0.7, 2.0), (1.0, 1.0)])
def test_others_who_give_themselves_away_cost_what_is_reported(cap, rate, sigma):
    """No clip holds these others: who is there can be read from the sum, as ε assumes."""
    chosen = of(4, rate, cap)
    others = [100.0, 200.0, 400.0]
    reach = 12 * sigma
    found = {True: {}, False: {}}
    for likely, members in cohorts(chosen):
        rest = tuple(one for one in members if one)
        side = found[0 in members]
        side[rest] = side.get(rest, 0.0) + likely
    outputs = np.linspace(-reach, reach, 20_001)
    width = outputs[1] - outputs[0]
    still, moved = norm.pdf(outputs, 0, sigma), norm.pdf(outputs, 1, sigma)

    def delta(epsilon):
        gained = np.zeros(2)
        for rest in {*found[True], *found[False]}:
            there, away = found[True].get(rest, 0.0), found[False].get(rest, 0.0)
            present, absent = there * moved + away * still, (there + away) * still
            for way, (one, two) in enumerate(((present, absent), (absent, present))):
                gained[way] += np.maximum(one - math.exp(epsilon) * two, 0).sum() * width
        return gained.max()

    assert len(others) == chosen.devices - 1
    assert delta(told(chosen, sigma=sigma)) == pytest.approx(DELTA, rel=5e-3)


@pytest.mark.parametrize(("cap", "rate"), [(3, 0.4), (1, 0.2), (5, 0.9), (2, 1.0)])
def test_rounds_compose_as_the_mixture_of_another_library(cap, rate):
    chosen = of(6, rate, cap)
    (few, free), (nearly, last), _ = crowds(chosen)
    width = 1e-3

    def losses(rate):
        return peer.from_gaussian_mechanism(
            2.0, value_discretization_interval=width, sampling_prob=rate
        )

    drawn = losses(free).compute_mixture(losses(last), few / (few + nearly))
    round_ = drawn.compute_mixture(
        peer.identity(value_discretization_interval=width), min(1.0, few + nearly)
    )
    other = round_.self_compose(40).get_epsilon_for_delta(1e-5)
    found = told(chosen, sigma=2.0, rounds=40, delta=1e-5)
    assert found == pytest.approx(other, rel=1e-5)


@pytest.mark.parametrize("target", [2.0, 8.0])
def test_a_cap_near_the_mean_needs_less_noise_than_integers_do(target):
    sampling = CappedPoissonSampling.expecting(50, devices=1000, cap=50)
    setting = {"sampling": sampling, "rounds": 200, "delta": 5e-4}
    found = least_noise(target, **setting)
    assert found < 0.92 * least_integer_noise(target, **setting)
    kept = CohortGaussian(sampling=sampling, noise_multiplier=found, clip=1.0, delta=5e-4)
    assert 0.99 * target < kept.epsilon(200) <= target


@settings(max_examples=30, deadline=None)
@given(devices=st.integers(1, 300), rate=st.floats(1e-4, 1.0), share=st.floats(0, 1))
def test_crowds_are_a_distribution_and_their_rates_that_of_a_device(devices, rate, share):
    cap = 1 + round(share * (devices - 1))
    chosen = of(devices, rate, cap)
    found = crowds(chosen)
    assert math.fsum(weight for weight, _ in found) == pytest.approx(1, abs=1e-12)
    assert all(0 <= weight <= 1 and 0 <= one <= 1 for weight, one in found)
    numbers = np.arange(devices + 1)
    drawn = np.minimum(numbers, cap) @ binom.pmf(numbers, devices, rate) / devices
    assert math.fsum(weight * one for weight, one in found) == pytest.approx(drawn, rel=1e-8)


def test_without_a_cap_only_the_rate_counts():
    uncut = of(50, 0.2, 50)
    run = {"noise_multiplier": 1.5, "delta": 1e-5}
    found = pld.capped_epsilon(uncut, rounds=30, **run)
    assert found == pytest.approx(pld.epsilon(rate=0.2, steps=30, **run), rel=1e-7)
    assert alone(0.2) == ((1.0, 0.2),)


@pytest.mark.parametrize("cap", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_crowds_are_those_of_all_cohorts_counted(cap, rate):
    chosen = CappedPoissonSampling(devices=5, rate=rate, cap=cap)
    sizes, rates = np.zeros(6), np.zeros(6)
    for likely, members in cohorts(chosen):
        others = len(members) - (0 in members)
        sizes[others] += likely
        rates[others] += likely * (0 in members)
    expected = [
        (sizes[: cap - 1].sum(), rates[: cap - 1].sum()),
        (sizes[cap - 1], rates[cap - 1]),
        (sizes[cap], rates[cap]),
    ]
    found = [(weight, weight * rate) for weight, rate in crowds(chosen)]
    assert np.array(found) == pytest.approx(np.array(expected), rel=2e-9, abs=1e-12)
    # a rate is rounded up, to be never below
    assert (np.array(found) >= np.array(expected) - 1e-15).all()
