"""The filter by its formula at one order, and never below what the composed steps cost."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.accounting.steps import Steps
from privacy.sampling.crowds import alone
from privacy.statements import composition
from privacy.statements.renyi_filter import LARGEST_ORDER, keeps, order, spent

LIMIT = {"epsilon": 4.0, "delta": 1e-5}
noises = st.floats(0.8, 20)


def gaussians(*noises, times=1):
    """Releases without sampling, of these noises over their sensitivity."""
    return [Steps(alone(1.0), noise, times) for noise in noises]


def converted(divergence, at, delta=1e-5):
    return divergence + math.log1p(-1 / at) - (math.log(delta) + math.log(at)) / (at - 1)


def test_a_limit_has_the_order_of_the_formula():
    """√ln 10⁵ is 3.393: 1 + 3.393 / (√15.513 - 3.393) = 7.21, and at 8 4.20."""
    assert order(4.0, delta=1e-5) == 7
    assert order(8.0, delta=1e-5) == 4


def test_an_order_is_at_least_two_and_quick_to_sum():
    assert order(1e9, delta=1e-5) == 2
    assert order(1e-9, delta=1e-5) == LARGEST_ORDER


@pytest.mark.parametrize("noise", [2.0, 8.0])
@pytest.mark.parametrize("times", [1, 5])
def test_releases_without_sampling_count_by_the_closed_form(noise, times):
    """Each has the divergence α / 2σ² at α = 7."""
    found = spent(gaussians(noise, times=times), **LIMIT)
    assert found == pytest.approx(max(0.0, converted(times * 7 / (2 * noise**2), 7)), rel=1e-8)


@given(first=noises, second=noises)
def test_divergences_add_up_whatever_is_chosen_after_what_was_shown(first, second):
    """The formula is a sum: the second costs as much beside the first as it does alone."""
    both = spent(gaussians(first, second), **LIMIT)
    squares = 1 / first**2 + 1 / second**2
    assert both == pytest.approx(max(0.0, converted(3.5 * squares, 7)), rel=1e-8)
    assert both == spent(gaussians(second, first), **LIMIT)


def test_a_limit_is_kept_up_to_the_last_release_that_it_holds():
    """At noise 3 a release is 7/18 at order 7: k · 7/18 + 1.440 is at most 4 up to k = 6."""
    assert [keeps(gaussians(*[3.0] * count), **LIMIT) for count in (5, 6, 7)] == [
        True,
        True,
        False,
    ]


def test_the_order_is_that_of_the_limit_and_not_the_best_of_what_was_shown():
    """One release of noise 10 costs least at a far larger order; the limit has fixed 7."""
    few = gaussians(10.0)
    assert spent(few, epsilon=0.5, delta=1e-5) < spent(few, **LIMIT)
    assert spent(few, **LIMIT) == pytest.approx(converted(0.035, 7), rel=1e-8)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.05, 0.5, 1.0]), st.floats(0.8, 4), st.integers(1, 4)),
        min_size=1,
        max_size=4,
    ),
    st.floats(0.1, 20),
)
@settings(max_examples=6, deadline=None)
def test_a_filter_never_counts_less_than_the_composed_steps_cost(given_steps, limit):
    steps = tuple(Steps(alone(rate), noise, times) for rate, noise, times in given_steps)
    counted = spent(steps, epsilon=limit, delta=1e-5)
    assert counted >= composition._losses(steps, 1e-5) * (1 - 1e-9)
    assert keeps(steps, epsilon=limit, delta=1e-5) == (counted <= limit)


def test_a_filter_has_no_bound_without_noise_and_counts_nothing_for_no_step():
    assert spent([Steps(alone(0.5), 0.0, 1)], epsilon=1, delta=1e-5) == math.inf
    assert spent([Steps(alone(0.5), 0.0, 0)], epsilon=1, delta=1e-5) == 0
