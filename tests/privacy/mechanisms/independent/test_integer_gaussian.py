"""The ε of integer noise: against exact sums over the integers, the golden figure, by hand."""

import math

import numpy as np
import pytest
from counted_cohorts import cohorts
from scipy.special import logsumexp

from privacy.accounting import rdp
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.independent.integer_gaussian import (
    IntegerGaussian,
    epsilon,
    least_noise,
)
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.crowds import crowds

ORDERS = [2, 3, 5, 8, 24]
RATES = [0.01, 0.2, 0.7, 1.0]
DIGITS = 1e-12


def sampling(devices=1000, cohort=50, cap=None):
    return CappedPoissonSampling.expecting(cohort, devices=devices, cap=cap)


def divergence(order, *, sampling, noise_multiplier):
    (found,) = rdp.divergences(
        crowds(sampling), noise_multiplier, steps=1, orders=(float(order),)
    )
    return found


def uncapped(rate):
    return CappedPoissonSampling(devices=7, rate=rate, cap=7)


def mechanism(noise, **changes):
    return IntegerGaussian(
        sampling=sampling(**changes), noise_multiplier=noise, clip=1.0, delta=5e-4
    )


def log_noise(sigma, *shifts, reach=400):
    """Log-probabilities of the discrete Gaussian on a box of integers, shifted."""
    line = np.arange(-reach, reach + 1)
    normal = logsumexp(-(line**2) / (2 * sigma**2))
    axes = [-((line - shift) ** 2) / (2 * sigma**2) - normal for shift in shifts]
    return sum(np.ix_(*axes))


def mixture(weighted):
    """Log-probabilities of a mixture of (weight, log-probabilities)."""
    some = [(weight, logs) for weight, logs in weighted if weight > 0]
    return logsumexp(
        [logs for _, logs in some],
        b=np.reshape([weight for weight, _ in some], (-1,) + (1,) * some[0][1].ndim),
        axis=0,
    )


def exact_divergence(left, right, order):
    return float(logsumexp(order * left + (1 - order) * right)) / (order - 1)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("shift", [1, 3])
def test_exact_divergences_are_within_the_bound(sigma, rate, shift):
    without = log_noise(sigma, 0)
    mixed = mixture([(rate, log_noise(sigma, shift)), (1 - rate, without)])
    for order in ORDERS:
        bound = divergence(order, sampling=uncapped(rate), noise_multiplier=sigma / shift)
        assert exact_divergence(mixed, without, order) <= bound * (1 + DIGITS) + DIGITS
        assert exact_divergence(without, mixed, order) <= bound * (1 + DIGITS) + DIGITS


@pytest.mark.parametrize("order", ORDERS)
def test_one_direction_meets_the_bound_since_whole_orders_shift_whole_steps(order):
    without = log_noise(0.5, 0)
    mixed = mixture([(0.2, log_noise(0.5, 1)), (0.8, without)])
    bound = divergence(order, sampling=uncapped(0.2), noise_multiplier=0.5)
    assert exact_divergence(mixed, without, order) == pytest.approx(bound, rel=1e-9)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("rate", RATES)
def test_exact_divergences_of_two_coordinates_are_within_the_bound(sigma, rate):
    without = log_noise(sigma, 0, 0, reach=60)
    mixed = mixture([(rate, log_noise(sigma, 2, -1, reach=60)), (1 - rate, without)])
    for order in (2, 3, 8):
        z = sigma / math.sqrt(5)
        bound = divergence(order, sampling=uncapped(rate), noise_multiplier=z)
        assert exact_divergence(mixed, without, order) <= bound * (1 + DIGITS) + DIGITS
        assert exact_divergence(without, mixed, order) <= bound * (1 + DIGITS) + DIGITS


@pytest.mark.parametrize("cap", [1, 2, 3])
@pytest.mark.parametrize("others", [(0, 0, 0), (2, 2, 2), (-2, -2, -2), (2, -2, 1)])
def test_exact_divergences_under_a_cap_are_within_the_bound(cap, others):
    chosen = CappedPoissonSampling(devices=4, rate=0.6, cap=cap)

    def released(own):
        values = (own, *others)
        parts = [(p, log_noise(1.0, sum(values[m] for m in who))) for p, who in cohorts(chosen)]
        return mixture(parts)

    there, absent = released(2), released(0)
    for order in ORDERS:
        bound = divergence(order, sampling=chosen, noise_multiplier=0.5)
        assert exact_divergence(there, absent, order) <= bound * (1 + DIGITS) + DIGITS
        assert exact_divergence(absent, there, order) <= bound * (1 + DIGITS) + DIGITS


def test_others_that_cancel_their_place_cost_more_than_the_rate_without_a_cap():
    # with a cap of one and everybody drawn, 1/3 of the rounds hold the device alone
    chosen = CappedPoissonSampling(devices=3, rate=1.0, cap=1)
    assert crowds(chosen) == pytest.approx(np.array([(0, 1), (1 / 3, 1), (2 / 3, 0)]))
    # (1/3) exp(1) + 2/3 at order 2 and noise of 1
    found = divergence(2, sampling=chosen, noise_multiplier=1.0)
    assert found == pytest.approx(math.log(math.e / 3 + 2 / 3))


def test_epsilon_without_sampling_is_the_golden_figure():
    # 10 rounds at order 2: 10 + ln(1/2) - ln(2 · 5e-4)
    found = epsilon(uncapped(1.0), noise_multiplier=1.0, rounds=10, delta=5e-4)
    assert found == pytest.approx(16.215, abs=1e-3)
    assert found == pytest.approx(10 + math.log(0.5) - math.log(1e-3), rel=2e-9)


@pytest.mark.parametrize(("noise", "rounds"), [(0.7, 10), (1.0, 200), (4.0, 1000)])
def test_epsilon_under_a_generous_cap_is_that_of_poisson_sampling(noise, rounds):
    whole = rdp.epsilon(
        rate=0.05,
        noise_multiplier=noise,
        steps=rounds,
        delta=5e-4,
        orders=rdp.WHOLE_ORDERS,
    )
    assert mechanism(noise).epsilon(rounds) == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize("noise", [1.0, 2.0])
def test_epsilon_is_above_the_continuous_one_and_below_its_second_opinion(noise):
    continuous = CohortGaussian(
        sampling=sampling(), noise_multiplier=noise, clip=1.0, delta=5e-4
    )
    found = mechanism(noise)
    assert continuous.epsilon(50) < found.epsilon(50) < found.epsilon_rdp(50)


def test_a_cap_that_cuts_often_still_has_an_epsilon():
    # the mean cohort is the cap: half of the rounds are cut
    tight = mechanism(1.0, cap=50)
    wide = mechanism(1.0)
    assert wide.epsilon(200) / 2 < tight.epsilon(200) < wide.epsilon(200) * 3


def test_epsilon_is_monotone_and_has_its_ends():
    assert mechanism(1.0).epsilon(0) == 0
    assert math.isinf(mechanism(0.0).epsilon(1))
    rounds = [mechanism(1.0).epsilon(count) for count in (1, 10, 100, 1000)]
    noises = [mechanism(noise).epsilon(100) for noise in (8.0, 2.0, 0.5, 0.05)]
    assert rounds == sorted(rounds)
    assert noises == sorted(noises)
    assert math.isfinite(noises[-1])


def test_a_device_that_is_never_drawn_costs_no_divergence():
    never = CappedPoissonSampling(devices=9, rate=0.0, cap=3)
    assert divergence(2, sampling=never, noise_multiplier=0.1) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("noise", "steps", "deviation"), [(1.0, 16, 16), (0.1, 16, 2), (0.5, 3, 2), (0.0, 16, 0)]
)
def test_the_noise_is_rounded_up_to_a_whole_step(noise, steps, deviation):
    chosen = IntegerGaussian(
        sampling=sampling(), noise_multiplier=noise, clip=3.0, delta=1e-5, steps=steps
    )
    assert chosen.deviation == deviation
    assert chosen.grid.clip == 3.0
    assert chosen.grid.steps == steps


@pytest.mark.parametrize("target", [1.0, 4.0])
def test_calibrated_noise_is_the_least_that_keeps_the_promise(target):
    found = least_noise(target, sampling=sampling(), rounds=200, delta=5e-4)
    assert mechanism(found).epsilon(200) <= target
    assert mechanism(found / 1.002).epsilon(200) > target


@pytest.mark.parametrize(("target", "why"), [(1e-9, "cannot be met"), (1e6, "no noise")])
def test_a_promise_that_cannot_be_meant_is_refused(target, why):
    with pytest.raises(ValueError, match=rf"^privacy\.device\.epsilon=1e.*{why}"):
        least_noise(target, sampling=sampling(), rounds=200, delta=1e-12)


@pytest.mark.parametrize("noise", [-1.0, 257.0, math.inf, math.nan])
def test_noise_that_the_sampler_does_not_reach_is_refused(noise):
    with pytest.raises(ValueError, match=rf"^noise_multiplier={noise:g} must lie .* 256 for"):
        mechanism(noise)


def test_a_grid_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"^steps=0 must lie"):
        IntegerGaussian(
            sampling=sampling(), noise_multiplier=1.0, clip=1.0, delta=1e-5, steps=0
        )
