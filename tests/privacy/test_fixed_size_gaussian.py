"""Cohorts of fixed size: golden figures, and what a wrong sensitivity would claim."""

import dataclasses
import math

import numpy as np
import pytest
from dp_accounting import (
    GaussianDpEvent,
    NeighboringRelation,
    SampledWithoutReplacementDpEvent,
    SelfComposedDpEvent,
)
from dp_accounting.rdp import RdpAccountant
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import simpson
from scipy.optimize import brentq
from scipy.stats import norm

from privacy.fixed_size_gaussian import FixedSizeGaussian, FixedSizeReplaceOne, least_noise
from privacy.fixed_size_sampling import FixedSizeSampling
from privacy.local_gaussian import LocalGaussian

SAMPLING = FixedSizeSampling(devices=1000, cohort=50)
DELTA = 1000**-1.1
# Balle and Wang's closed form of one release at noise of one sensitivity, δ 1e-5
SINGLE = 4.377178
ONCE = FixedSizeGaussian(sampling=SAMPLING, noise_multiplier=1.0, clip=1.0, delta=1e-5)


def replaced(noise, *, devices=1000, cohort=50, delta=DELTA):
    return FixedSizeReplaceOne(
        sampling=FixedSizeSampling(devices=devices, cohort=cohort),
        noise_multiplier=noise,
        clip=1.0,
        delta=delta,
    )


def renyi(noise, *, rate, rounds, delta):
    """What dp-accounting's Rényi accountant says where it is given this noise."""
    event = SampledWithoutReplacementDpEvent(1000, round(1000 * rate), GaussianDpEvent(noise))
    accountant = RdpAccountant(neighboring_relation=NeighboringRelation.REPLACE_ONE)
    return accountant.compose(SelfComposedDpEvent(event, rounds)).get_epsilon(delta)


def exact_delta(epsilon, *, rate, noise):
    """The δ of one round where a device sends C in one population and -C in the other.

    Everyone else sends zero. The integrand grows from zero at the point where the two mixtures
    are e^ε apart, so that it is integrated from there.
    """

    def mixture(x, mean):
        return (1 - rate) * norm.pdf(x, 0, noise) + rate * norm.pdf(x, mean, noise)

    def excess(x):
        return mixture(x, 1) - math.exp(epsilon) * mixture(x, -1)

    far = 1 + 8 * noise
    if excess(far) <= 0:
        return 0.0
    edge = brentq(excess, 0, far)
    knots = np.linspace(edge, max(edge, 1) + 12 * noise, 20001)
    return simpson(excess(knots), x=knots)


def test_the_integral_is_the_closed_form_where_everyone_takes_part():
    # noise 1 over a distance of 2 is noise .5 over a distance of 1
    left = norm.cdf(1 - 3.0 / 2) - math.exp(3.0) * norm.cdf(-1 - 3.0 / 2)
    assert exact_delta(3.0, rate=1.0, noise=1.0) == pytest.approx(left, rel=1e-9)


def test_half_the_sensitivity_claims_an_epsilon_that_is_violated():
    claimed = renyi(1.0, rate=0.5, rounds=1, delta=1e-5)
    assert claimed == pytest.approx(4.086, abs=5e-4)
    assert exact_delta(claimed, rate=0.5, noise=1.0) == pytest.approx(1.75e-5, rel=5e-3)


def test_the_whole_sensitivity_claims_an_epsilon_that_holds():
    honest = replaced(1.0, devices=2, cohort=1, delta=1e-5).epsilon(1)
    assert honest == pytest.approx(9.997, abs=1e-3)
    assert exact_delta(honest, rate=0.5, noise=1.0) < 1e-5


@given(st.floats(0.3, 5), st.integers(1, 1000), st.floats(1e-9, 1e-2))
@settings(deadline=None, max_examples=8)
def test_a_round_keeps_the_delta_of_a_device_that_turns_its_update_around(noise, cohort, delta):
    mechanism = replaced(noise, cohort=cohort, delta=delta)
    found = mechanism.epsilon(1)
    assert exact_delta(found, rate=cohort / 1000, noise=noise) <= delta * (1 + 1e-6)


@pytest.mark.parametrize(("noise", "epsilon"), [(1.0, 54.5), (2.0, 7.32)])
def test_a_replaced_device_costs_the_golden_figures(noise, epsilon):
    assert replaced(noise).epsilon(200) == pytest.approx(epsilon, rel=1e-2)
    assert renyi(noise / 2, rate=0.05, rounds=200, delta=DELTA) == pytest.approx(
        replaced(noise).epsilon(200), rel=1e-9
    )


@pytest.mark.parametrize(("noise", "epsilon"), [(1.0, 14.7), (2.0, 5.92)])
def test_ten_participations_without_amplification_cost_the_golden_figures(noise, epsilon):
    mechanism = FixedSizeGaussian(
        sampling=SAMPLING, noise_multiplier=noise, clip=1.0, delta=DELTA, participations=10
    )
    assert mechanism.epsilon(200) == pytest.approx(epsilon, rel=1e-2)


@pytest.mark.parametrize(
    ("noise", "participations", "rounds"), [(10.0, None, 100), (3.0, 9, 100), (3.0, 50, 9)]
)
def test_a_device_costs_the_root_of_the_rounds_it_can_be_in(noise, participations, rounds):
    mechanism = dataclasses.replace(ONCE, noise_multiplier=noise, participations=participations)
    assert mechanism.epsilon(rounds) == pytest.approx(SINGLE, abs=1e-5)


def test_the_size_of_a_cohort_earns_nothing_where_a_device_is_zero():
    everyone = FixedSizeSampling(devices=1000, cohort=1000)
    assert dataclasses.replace(ONCE, sampling=everyone).epsilon(7) == ONCE.epsilon(7)


def test_everyone_every_round_replaced_is_local_noise():
    local = LocalGaussian(noise_multiplier=6.0, clip=1.0, delta=1e-5)
    mechanism = replaced(6.0, devices=10, cohort=10, delta=1e-5)
    assert mechanism.epsilon(9) == pytest.approx(local.epsilon(9), rel=1e-9)


def test_where_many_are_drawn_the_closed_form_is_the_smaller_bound():
    mechanism = replaced(1.0, cohort=900)
    local = LocalGaussian(noise_multiplier=1.0, clip=1.0, delta=DELTA)
    assert mechanism.epsilon(1) == pytest.approx(local.epsilon(1))
    assert mechanism.epsilon(1) < 0.95 * mechanism.epsilon_rdp(1)


@given(st.floats(0.3, 50), st.integers(1, 300), st.none() | st.integers(1, 50))
@settings(deadline=None, max_examples=25)
def test_the_second_opinion_is_never_below_the_closed_form(noise, rounds, participations):
    mechanism = dataclasses.replace(ONCE, noise_multiplier=noise, participations=participations)
    assert mechanism.epsilon(rounds) <= mechanism.epsilon_rdp(rounds) + 1e-9


@pytest.mark.parametrize("mechanism", [ONCE, replaced(1.0)])
def test_no_round_costs_nothing_and_no_noise_everything(mechanism):
    assert mechanism.epsilon(0) == mechanism.epsilon_rdp(0) == 0
    bare = dataclasses.replace(mechanism, noise_multiplier=0.0)
    assert bare.epsilon(0) == 0
    assert bare.epsilon(1) == bare.epsilon_rdp(1) == math.inf


@given(st.floats(0.1, 20), st.integers(1, 50))
@settings(deadline=None, max_examples=25)
def test_the_least_noise_keeps_the_promise_and_a_little_less_breaks_it(target, participations):
    noise = least_noise(target, participations=participations, delta=1e-5)
    limited = dataclasses.replace(ONCE, noise_multiplier=noise, participations=participations)
    assert limited.epsilon(1000) <= target * (1 + 1e-6)
    assert dataclasses.replace(limited, noise_multiplier=0.999 * noise).epsilon(1000) > target


@pytest.mark.parametrize("target", [0.0, -1.0, math.inf, math.nan])
def test_a_promise_that_cannot_be_meant_is_refused(target):
    with pytest.raises(ValueError, match=r"^privacy\.device\.epsilon=.* above 0; raise it"):
        least_noise(target, participations=1, delta=1e-5)


def test_a_promise_to_nobody_is_refused():
    with pytest.raises(ValueError, match=r"^participations=0 must be at least 1"):
        least_noise(1.0, participations=0, delta=1e-5)
