import math

import mpmath
import pytest
from dp_accounting import get_epsilon_gaussian, get_sigma_gaussian
from hypothesis import given
from hypothesis import strategies as st

from privacy.accounting import analytic_gaussian

noises = st.floats(0.05, 100)
deltas = st.sampled_from([1e-3, 1e-5, 1e-9, 1e-12])


def test_the_published_figure_is_met():
    assert analytic_gaussian.epsilon(1.0, delta=1e-5) == pytest.approx(4.377178, abs=1e-6)


@given(noise=noises, delta=deltas)
def test_epsilon_is_that_of_dp_accounting_and_never_below_it(noise, delta):
    theirs = get_epsilon_gaussian(noise, delta)
    ours = analytic_gaussian.epsilon(noise, delta=delta)
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)
    assert analytic_gaussian.delta(ours, noise=noise) <= delta * (1 + 1e-9)


@given(target=st.floats(0.01, 50), delta=deltas)
def test_the_least_noise_keeps_the_promise_and_less_does_not(target, delta):
    found = analytic_gaussian.noise(target, delta=delta)
    assert found == pytest.approx(get_sigma_gaussian(target, delta), rel=1e-6)
    assert analytic_gaussian.epsilon(found, delta=delta) <= target * (1 + 1e-8)
    assert analytic_gaussian.epsilon(found * 0.999, delta=delta) > target


def test_delta_has_the_digits_of_arbitrary_precision():
    epsilon, noise = mpmath.mpf(3), mpmath.mpf("0.7")
    exact = mpmath.ncdf(1 / (2 * noise) - epsilon * noise) - mpmath.exp(epsilon) * mpmath.ncdf(
        -1 / (2 * noise) - epsilon * noise
    )
    assert analytic_gaussian.delta(3.0, noise=0.7) == pytest.approx(float(exact), rel=1e-10)


def test_no_noise_is_an_infinite_epsilon_and_a_great_deal_is_none():
    assert math.isinf(analytic_gaussian.epsilon(0.0, delta=1e-5))
    assert analytic_gaussian.epsilon(1e6, delta=1e-5) == 0
