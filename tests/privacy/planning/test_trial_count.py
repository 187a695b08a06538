import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, geom, logser, nbinom, poisson

from privacy.noise import SeededSource
from privacy.planning import trial_count


class Fixed:
    """A stream whose one uniform draw is known."""

    def __init__(self, uniform):
        self.uniform = uniform

    def keyed_uniform(self, numbers):
        return np.full(len(numbers), self.uniform)


def probabilities(trials, shape, numbers):
    """By scipy, which has neither the truncation nor the limit in one distribution."""
    if math.isinf(shape):
        return poisson.pmf(numbers, trials)
    halting = trial_count.halting(trials, shape=shape)
    if shape == 0:
        return logser.pmf(numbers, 1 - halting)
    kept = 1 - nbinom.pmf(0, shape, halting)
    return np.where(numbers > 0, nbinom.pmf(numbers, shape, halting) / kept, 0)


@pytest.mark.parametrize(
    ("trials", "shape"), [(10, 1.0), (5, 0.0), (5, 0.3), (30, 8.0), (7, math.inf)]
)
def test_draws_have_the_distribution_of_their_name(trials, shape):
    source = SeededSource(51)
    found = [
        trial_count.draw(source.stream(n), trials=trials, shape=shape) for n in range(2000)
    ]
    numbers = np.arange(401)
    expected = 2000 * probabilities(trials, shape, numbers)
    observed = np.bincount(found, minlength=401)
    usual = expected > 5
    rest = 2000 - expected[usual].sum()
    level = chisquare(
        np.append(observed[usual], observed[~usual].sum()), np.append(expected[usual], rest)
    ).pvalue
    assert len(observed) == 401
    assert level > 1e-3


@given(st.floats(1.001, 1000), st.sampled_from([0.0, 0.3, 1.0, 8.0, 100.0]))
@settings(deadline=None, max_examples=50)
def test_the_halting_parameter_has_this_mean_and_is_rounded_down(trials, shape):
    found = trial_count.halting(trials, shape=shape)
    mean = trial_count.mean(found, shape=shape)
    assert 0 < found < 1
    assert trials <= mean <= trials * (1 + 1e-6)


@pytest.mark.parametrize(("halting", "shape"), [(0.05, 0.5), (0.3, 4.0), (0.9, 20.0)])
def test_the_mean_is_that_of_a_negative_binomial_without_its_zero(halting, shape):
    kept = 1 - nbinom.pmf(0, shape, halting)
    expected = nbinom.mean(shape, halting) / kept
    assert trial_count.mean(halting, shape=shape) == pytest.approx(expected, rel=1e-12)


def test_the_mean_at_shape_one_and_at_shape_zero_is_that_of_scipy():
    assert trial_count.mean(0.125, shape=1.0) == pytest.approx(geom.mean(0.125))
    assert trial_count.mean(0.125, shape=0.0) == pytest.approx(logser.mean(0.875))


@pytest.mark.parametrize("shape", [0.0, 1.0, 8.0])
def test_one_trial_for_sure_is_always_one(shape):
    assert trial_count.halting(1.0, shape=shape) == trial_count.mean(1.0, shape=shape) == 1
    for uniform in (0.0, 0.5, 1 - 2.0**-53):
        assert trial_count.draw(Fixed(uniform), trials=1, shape=shape) == 1


@pytest.mark.parametrize(
    ("shape", "least", "most"),
    [(0.0, 1, 1e6), (1.0, 1, 40_000), (8.0, 100, 8000), (math.inf, 500, 1400)],
)
def test_the_ends_of_a_draw_are_numbers_of_trials(shape, least, most):
    low, high = (
        trial_count.draw(Fixed(uniform), trials=1000, shape=shape)
        for uniform in (0.0, 1 - 2.0**-53)
    )
    assert 0 <= low < high < most
    assert high > least


def test_none_is_a_legal_draw_of_poisson_alone():
    assert trial_count.draw(Fixed(0.0), trials=2, shape=math.inf) == 0
    assert trial_count.draw(Fixed(0.0), trials=2, shape=0.0) == 1
