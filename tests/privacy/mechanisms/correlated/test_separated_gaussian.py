import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from privacy.correlation import toeplitz
from privacy.mechanisms.correlated.separated_gaussian import SeparatedGaussian, least_noise

# Balle and Wang's closed form of one release at noise of one sensitivity
SINGLE = 4.377178
ONCE = SeparatedGaussian(
    noise_multiplier=1.0,
    coefficients=(1.0,),
    rounds=1,
    separation=1,
    participations=1,
    clip=1.0,
    delta=1e-5,
)
BANDED = SeparatedGaussian(
    noise_multiplier=4.0,
    coefficients=tuple(toeplitz.optimal(200, 20).tolist()),
    rounds=200,
    separation=20,
    participations=10,
    clip=1.0,
    delta=1e-5,
)


def exact_delta(epsilon, noise):
    left = norm.cdf(0.5 / noise - epsilon * noise)
    return left - math.exp(epsilon) * norm.cdf(-0.5 / noise - epsilon * noise)


def test_one_release_has_the_golden_epsilon():
    assert ONCE.epsilon(ONCE.rounds) == pytest.approx(SINGLE, abs=1e-6)


def test_a_hundred_independent_rounds_at_ten_times_the_noise_are_one_release():
    found = dataclasses.replace(ONCE, noise_multiplier=10.0, rounds=100, participations=100)
    assert found.sensitivity == pytest.approx(10)
    assert found.epsilon(found.rounds) == pytest.approx(SINGLE, abs=1e-6)


def test_bands_as_wide_as_the_separation_cost_as_much_as_independent_noise():
    assert BANDED.sensitivity == pytest.approx(math.sqrt(10))
    independent = dataclasses.replace(BANDED, coefficients=(1.0,))
    assert BANDED.epsilon(BANDED.rounds) == pytest.approx(
        independent.epsilon(independent.rounds), rel=1e-9
    )


def test_a_device_that_returns_within_the_bands_costs_more():
    sooner = dataclasses.replace(BANDED, separation=10)
    assert sooner.epsilon(sooner.rounds) > 1.2 * BANDED.epsilon(BANDED.rounds)


@given(
    noise=st.floats(0.3, 30),
    participations=st.integers(1, 10),
    separation=st.integers(1, 30),
    delta=st.floats(1e-9, 1e-2),
)
@settings(deadline=None)
def test_epsilon_is_where_the_closed_form_meets_delta(noise, participations, separation, delta):
    mechanism = dataclasses.replace(
        BANDED,
        noise_multiplier=noise,
        participations=participations,
        separation=separation,
        delta=delta,
    )
    over = noise / mechanism.sensitivity
    found = mechanism.epsilon(mechanism.rounds)
    if 0 < found < 100:
        assert exact_delta(found, over) == pytest.approx(delta, rel=1e-4)


@given(st.floats(0.05, 20), st.floats(1e-9, 1e-2), st.integers(1, 10))
@settings(deadline=None)
def test_the_least_noise_keeps_the_promise_and_a_little_less_breaks_it(
    target, delta, participations
):
    mechanism = dataclasses.replace(BANDED, participations=participations, delta=delta)
    noise = least_noise(target, sensitivity=mechanism.sensitivity, delta=delta)
    kept = dataclasses.replace(mechanism, noise_multiplier=noise)
    broken = dataclasses.replace(mechanism, noise_multiplier=0.999 * noise)
    assert kept.epsilon(kept.rounds) <= target * (1 + 1e-6)
    assert broken.epsilon(broken.rounds) > target


def test_noise_and_coefficients_of_another_scale_promise_the_same():
    scaled = dataclasses.replace(
        BANDED,
        noise_multiplier=12.0,
        coefficients=tuple((3 * np.array(BANDED.coefficients)).tolist()),
    )
    assert scaled.epsilon(scaled.rounds) == pytest.approx(
        BANDED.epsilon(BANDED.rounds), rel=1e-9
    )


def test_no_noise_promises_nothing():
    assert dataclasses.replace(BANDED, noise_multiplier=0.0).epsilon(200) == math.inf


@pytest.mark.parametrize("target", [0.0, -1.0, math.inf, math.nan])
def test_a_target_that_is_no_promise_is_refused(target):
    with pytest.raises(ValueError, match="finite and above 0"):
        least_noise(target, sensitivity=1.0, delta=1e-5)


def test_the_first_rounds_cost_what_the_first_columns_do():
    """Up to round 20 a device comes once, up to round 40 twice."""
    assert BANDED.epsilon(0) == BANDED.epsilon_rdp(0) == 0.0
    alone = dataclasses.replace(BANDED, rounds=20, participations=1)
    assert BANDED.epsilon(20) == pytest.approx(alone.epsilon(20))
    assert BANDED.epsilon(20) < BANDED.epsilon(40) < BANDED.epsilon(200)


def test_the_second_opinion_is_no_smaller_and_near():
    assert BANDED.epsilon(200) < BANDED.epsilon_rdp(200) < 1.2 * BANDED.epsilon(200)
