"""The conversions by hand, against the Gaussian's closed form, and against each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.accounting import analytic_gaussian
from privacy.accounting.renyi_conversion import ROUND_UP, delta, epsilon

ORDERS = (1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 16.0, 32.0, 64.0)
noises, targets = st.floats(0.3, 20), st.floats(1e-9, 1e-2)


def gaussian(noise):
    """The divergences of a Gaussian of sensitivity 1: α / 2σ²."""
    return {order: order / (2 * noise**2) for order in ORDERS}


def test_epsilon_is_the_least_over_the_orders():
    """At δ = e⁻⁴ / 4 order 2 alone gives 3 - ln 2 + 4 + ln 4 - ln 2 = 7, order 3 less."""
    at = math.exp(-4) / 4
    assert epsilon({2.0: 3.0}, delta=at) == pytest.approx(7.0)
    third = 3 + math.log(2 / 3) - math.log(3 * at) / 2
    assert epsilon({2.0: 3.0, 3.0: 3.0}, delta=at) == pytest.approx(third)
    assert third < 7


def test_delta_is_the_least_over_the_orders_and_the_total_variation():
    """e⁻⁴ / 4 at order 2 and ε = 7; at order 3 e⁻⁸ (2/3)² / 3; at ε = 0 √(1 - e⁻³)."""
    assert delta({2.0: 3.0}, epsilon=7.0) == pytest.approx(math.exp(-4) / 4)
    third = math.exp(-8) * 4 / 27
    assert delta({2.0: 3.0, 3.0: 3.0}, epsilon=7.0) == pytest.approx(third)
    assert delta({2.0: 3.0}, epsilon=0.0) == pytest.approx(math.sqrt(-math.expm1(-3)))


@given(noise=noises, at=targets)
def test_epsilon_of_a_gaussian_is_never_below_its_closed_form(noise, at):
    assert epsilon(gaussian(noise), delta=at) >= analytic_gaussian.epsilon(noise, delta=at)


@given(noise=noises, at=st.floats(0, 20))
def test_delta_of_a_gaussian_is_never_below_its_closed_form(noise, at):
    assert delta(gaussian(noise), epsilon=at) >= analytic_gaussian.delta(at, noise=noise)


@given(noise=noises, at=targets)
def test_the_delta_of_an_epsilon_is_the_one_it_was_found_for(noise, at):
    """Both round up: δ at the rounded ε is no more than a millionth above, and no far below."""
    found = epsilon(gaussian(noise), delta=at)
    if found > 0:
        assert delta(gaussian(noise), epsilon=found) == pytest.approx(at, rel=1e-5)


def test_both_are_rounded_up_in_the_ninth_place():
    exact = 3.0 - math.log(2) - math.log(2e-5)
    assert epsilon({2.0: 3.0}, delta=1e-5) == pytest.approx(exact * (1 + 1e-9), rel=1e-14)
    assert delta({2.0: 3.0}, epsilon=7.0) == pytest.approx(
        math.exp(-4) / 4 * (1 + 1e-9), rel=1e-14
    )
    assert ROUND_UP == 1 + 1e-9


def test_an_order_without_a_bound_says_nothing_and_none_at_all_no_epsilon():
    some = {2.0: 3.0, 2.5: math.inf}
    assert epsilon(some, delta=1e-5) == epsilon({2.0: 3.0}, delta=1e-5)
    assert delta(some, epsilon=7.0) == delta({2.0: 3.0}, epsilon=7.0)
    assert math.isinf(epsilon({2.5: math.inf}, delta=1e-5))
    assert delta({2.5: math.inf}, epsilon=7.0) == 1.0


def test_what_shows_nothing_costs_nothing():
    nothing = dict.fromkeys(ORDERS, 0.0)
    assert epsilon(nothing, delta=0.5) == 0.0
    assert delta(nothing, epsilon=0.0) == 0.0


def test_an_order_next_to_one_bounds_the_total_variation_alone():
    """Its terms cancel: (2 - 2 - ...) of the formula would be a δ below the true one."""
    assert delta({1 + 1e-12: 0.5}, epsilon=0.2) == pytest.approx(math.sqrt(-math.expm1(-0.5)))
