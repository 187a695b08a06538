"""The ε of a whole library: against one moment, closed forms, integrals and the plain rule."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy.integrate import simpson
from scipy.optimize import brentq
from scipy.special import logsumexp
from scipy.stats import binom, norm

from privacy.accounting import analytic_gaussian, pld
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.sampling.poisson import PoissonSampling
from privacy.statements.group import (
    library_epsilon,
    one_by_one_epsilon,
    together_epsilon,
    unsampled_epsilon,
)

MECHANISM = DpSgd(
    sampling=PoissonSampling(0.1), noise_multiplier=4.0, clip=0.5, steps=2, delta=1e-6
)


def mechanism(*, rate=0.1, **changes):
    return dataclasses.replace(MECHANISM, sampling=PoissonSampling(rate), **changes)


def log_ratio(x, *, rate, noise, moments):
    """How much likelier a step's sum is with the group than without it, as a logarithm."""
    numbers = np.arange(moments + 1)
    exponents = numbers * (2 * x[:, None] - numbers) / (2 * noise**2)
    return logsumexp(exponents, axis=1, b=binom.pmf(numbers, moments, rate))


def exact_delta(epsilon, *, rate, noise, moments):
    """The δ of one step, as sums of normal tails: the group is removed, or added."""

    def edge(loss):
        def excess(x):
            return log_ratio(np.array([x]), rate=rate, noise=noise, moments=moments)[0] - loss

        return brentq(excess, -200 * noise, 200 * noise)

    numbers = np.arange(moments + 1)
    weights = binom.pmf(numbers, moments, rate)
    growth = math.exp(epsilon)
    x = edge(epsilon)
    removed = weights @ norm.sf(x, numbers, noise) - growth * norm.sf(x, 0, noise)
    if -epsilon <= moments * math.log1p(-rate):
        return removed
    x = edge(-epsilon)
    added = norm.cdf(x, 0, noise) - growth * (weights @ norm.cdf(x, numbers, noise))
    return max(removed, added)


def renyi_epsilon(chosen, *, moments, steps):
    """By the integral of every order: knows no grid of losses and no library."""
    rate, noise = chosen.sampling.rate, chosen.noise_multiplier
    x = np.linspace(-12 * noise, 30 * moments + 12 * noise, 40001)
    ratio = log_ratio(x, rate=rate, noise=noise, moments=moments)
    density = norm.logpdf(x, 0, noise)
    found = []
    for order in (1.3, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 11, 15):
        shares = np.array([order, 1 - order])[:, None] * ratio + density
        # with and without, either way around
        logarithm = max(math.log(simpson(np.exp(one), x=x)) for one in shares)
        divergence = steps * logarithm / (order - 1)
        rest = math.log1p(-1 / order) - math.log(chosen.delta * order) / (order - 1)
        found.append(divergence + rest)
    return min(found)


@pytest.mark.parametrize(("rate", "noise", "steps"), [(0.1, 4.0, 80), (0.5, 9.0, 40)])
def test_a_library_of_one_moment_costs_what_the_moment_costs(rate, noise, steps):
    chosen = mechanism(rate=rate, noise_multiplier=noise, steps=steps)
    plain = pld.epsilon(rate=rate, noise_multiplier=noise, steps=steps, delta=1e-6)
    found = together_epsilon(chosen, moments=1, participations=1)
    assert plain - 1e-4 <= found <= 1.02 * plain
    assert library_epsilon(chosen, moments=1, participations=1) == chosen.epsilon(1)


@pytest.mark.parametrize(("moments", "noise", "steps"), [(1, 3.0, 4), (7, 20.0, 9)])
def test_without_sampling_a_library_is_one_moment_with_less_noise(moments, noise, steps):
    chosen = mechanism(rate=1.0, noise_multiplier=noise, steps=steps)
    closed = analytic_gaussian.epsilon(noise / (moments * math.sqrt(steps)), delta=1e-6)
    for bound in (together_epsilon, unsampled_epsilon, library_epsilon):
        found = bound(chosen, moments=moments, participations=1)
        assert found == pytest.approx(closed, rel=2e-3)
        assert found >= closed * (1 - 1e-6) - 2e-3


def test_a_rate_next_to_one_meets_the_closed_form():
    chosen = mechanism(rate=1 - 1e-7, noise_multiplier=9.0, steps=9)
    closed = unsampled_epsilon(chosen, moments=5, participations=1)
    found = together_epsilon(chosen, moments=5, participations=1)
    assert found == pytest.approx(closed, rel=1e-2)


@pytest.mark.parametrize(
    ("rate", "noise", "moments"),
    [(0.05, 1.0, 2), (0.2, 3.0, 5), (0.02, 1.0, 20), (0.5, 2.0, 3)],
)
def test_one_step_keeps_delta_and_uses_it_up(rate, noise, moments):
    chosen = mechanism(rate=rate, noise_multiplier=noise, steps=1)
    found = together_epsilon(chosen, moments=moments, participations=1)
    exact = exact_delta(found, rate=rate, noise=noise, moments=moments)
    assert 0.9e-6 < exact <= 1e-6 * (1 + 1e-6)


@pytest.mark.parametrize(("rate", "moments"), [(0.1, 2), (0.1, 6), (0.02, 15)])
def test_many_steps_cost_a_little_less_than_by_renyi_accounting(rate, moments):
    chosen = mechanism(rate=rate)
    found = together_epsilon(chosen, moments=moments, participations=20)
    loose = renyi_epsilon(chosen, moments=moments, steps=40)
    assert found <= loose <= 1.25 * found


def test_moment_by_moment_is_the_rule_at_the_largest_delta_it_allows():
    # without sampling the δ of one moment has a closed form
    chosen = mechanism(rate=1.0, noise_multiplier=40.0, steps=9)
    one = one_by_one_epsilon(chosen, moments=3, participations=1) / 3
    single = analytic_gaussian.delta(one, noise=40 / 3)
    three = single * (1 + math.exp(one) + math.exp(2 * one))
    assert 0.9e-6 < three <= 1e-6


def test_moment_by_moment_gives_up_where_delta_does_not_hold_it():
    assert math.isinf(one_by_one_epsilon(MECHANISM, moments=100, participations=10))


@pytest.mark.parametrize("moments", [2, 6])
def test_the_bound_of_all_together_is_the_smallest(moments):
    together, one_by_one, unsampled = (
        bound(MECHANISM, moments=moments, participations=2)
        for bound in (together_epsilon, one_by_one_epsilon, unsampled_epsilon)
    )
    assert together < one_by_one
    assert together < unsampled
    assert library_epsilon(MECHANISM, moments=moments, participations=2) == together


def test_a_library_costs_more_than_its_moments_and_more_with_each():
    found = [
        library_epsilon(MECHANISM, moments=moments, participations=2)
        for moments in (0, 1, 2, 20)
    ]
    assert all(one < two for one, two in itertools.pairwise(found))
    assert found[-1] > 20 * found[1]


def test_visits_and_steps_are_interchangeable_and_more_cost_more():
    longer = mechanism(steps=4)
    found = library_epsilon(MECHANISM, moments=4, participations=2)
    assert found == library_epsilon(longer, moments=4, participations=1)
    assert found > library_epsilon(MECHANISM, moments=4, participations=1)


def test_a_large_library_has_a_figure_that_promises_nothing():
    chosen = mechanism(rate=0.25, noise_multiplier=2.5, steps=8)
    found = library_epsilon(chosen, moments=200, participations=10)
    assert 10_000 < found < unsampled_epsilon(chosen, moments=200, participations=10)


@pytest.mark.parametrize(("noise", "steps"), [(0.3, 80), (9000.0, 10**7 + 1)])
def test_what_no_grid_can_hold_is_bounded_in_closed_form(monkeypatch, noise, steps):
    def never(*_, **__):
        raise AssertionError("a grid of gigabytes")

    monkeypatch.setattr("privacy.statements.group.mixture_losses.of_numbers", never)
    chosen = mechanism(rate=0.25, noise_multiplier=noise, steps=steps)
    found = library_epsilon.__wrapped__(chosen, moments=3, participations=1)
    assert found == unsampled_epsilon(chosen, moments=3, participations=1)


def test_a_rate_too_small_for_a_grid_is_an_answer():
    chosen = mechanism(rate=1e-30)
    found = together_epsilon(chosen, moments=3, participations=1)
    assert found == unsampled_epsilon(chosen, moments=3, participations=1)
    assert library_epsilon(chosen, moments=3, participations=1) == 0


@pytest.mark.parametrize("moments", [2, 5])
def test_a_small_delta_of_many_steps_is_never_below_the_closed_form(moments):
    """Where a transform that is not tilted rounds δ away: 1e-12 after 10,000 steps."""
    chosen = mechanism(rate=1 - 1e-8, noise_multiplier=1000.0, steps=10_000, delta=1e-12)
    closed = unsampled_epsilon(chosen, moments=moments, participations=1)
    found = together_epsilon(chosen, moments=moments, participations=1)
    assert closed * (1 - 1e-6) <= found <= closed * 1.02


def test_nothing_done_costs_nothing_and_no_noise_costs_everything():
    assert library_epsilon(MECHANISM, moments=0, participations=3) == 0
    assert library_epsilon(MECHANISM, moments=3, participations=0) == 0
    bare = mechanism(noise_multiplier=0.0)
    assert library_epsilon(bare, moments=3, participations=1) == math.inf


def test_the_bound_says_nothing(capfd, caplog, recwarn):
    library_epsilon(mechanism(noise_multiplier=4.1), moments=3, participations=1)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert not recwarn
