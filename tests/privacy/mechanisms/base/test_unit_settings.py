"""What a budget affords, what it refuses, and the least δ that means anything."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_settings import DPSGD, GAUSSIAN

from privacy.mechanisms.base.unit_settings import Budget, check_delta, within


class Linear:
    """A mechanism that costs a quarter each time."""

    def epsilon(self, times):
        return times / 4


@pytest.mark.parametrize(
    ("budget", "expected"), [(0.5, 0), (1.0, 1), (6.9, 6), (7.0, 7), (100.0, 9)]
)
def test_within_a_budget_is_the_largest_count_that_keeps_it(budget, expected):
    assert within(float, budget, most=9) == expected


@given(costs=st.lists(st.floats(0, 5), min_size=1, max_size=20), budget=st.floats(0, 60))
def test_one_more_than_is_within_a_budget_passes_it(costs, budget):
    def epsilon(times):
        return math.fsum(costs[:times])

    found = within(epsilon, budget, most=len(costs))
    assert epsilon(found) <= budget
    assert found == len(costs) or epsilon(found + 1) > budget


def test_a_large_count_is_found_in_few_trials():
    tried = []

    def epsilon(times):
        tried.append(times)
        return times / 1000

    assert within(epsilon, 777.5, most=10**6) == 777_500
    # one look at the most, then halves of a million
    assert len(tried) <= 22


def test_an_epsilon_that_is_no_number_is_within_nothing():
    assert within(lambda _: math.nan, 1.0, most=10) == 0


@pytest.mark.parametrize(
    ("epsilon", "noise", "expected"),
    [
        # a quarter each time: four of them are 1
        (1.0, 2.0, 4),
        (0.2, 2.0, 0),
        (100.0, 2.0, 10),
        # noise that follows from ε is for all of them, noise alone is without a limit
        (1.0, None, 10),
        (None, 2.0, 10),
    ],
)
def test_a_budget_of_noise_and_epsilon_ends_before_more_is_spent(epsilon, noise, expected):
    budget = Budget(epsilon=epsilon, noise_multiplier=noise, clip=1.0)
    assert budget.affordable(Linear(), most=10) == expected


@pytest.mark.parametrize(
    ("settings", "at"), [(DPSGD, "privacy.example"), (GAUSSIAN, "privacy.device")]
)
def test_a_budget_of_neither_or_of_epsilon_without_noise_is_refused_by_its_section(
    settings, at
):
    neither = dataclasses.replace(settings, epsilon=None, noise_multiplier=None)
    sentence = f"{at}.epsilon and {at}.noise_multiplier are both null; give one of them."
    assert neither.budget_contradiction() == sentence
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        _ = neither.target
    silent = dataclasses.replace(settings, epsilon=3.5, noise_multiplier=0.0)
    assert silent.budget_contradiction() == (
        f"{at}.noise_multiplier=0 keeps no {at}.epsilon=3.5; set one of them to null."
    )


@pytest.mark.parametrize(
    ("epsilon", "noise", "derived"), [(2.0, None, True), (2.0, 1.0, False), (None, 0.0, False)]
)
def test_noise_is_derived_where_none_is_given(epsilon, noise, derived):
    budget = dataclasses.replace(DPSGD, epsilon=epsilon, noise_multiplier=noise)
    assert budget.derives_noise == derived
    assert budget.budget_contradiction() is None


def test_a_delta_that_publishes_a_device_is_refused_with_the_largest_that_does_not():
    check_delta(0.0249, devices=40)
    for delta in (0.025, 0.5):
        with pytest.raises(ValueError, match=rf"delta={delta} would .* 40 .* below 0\.025\.$"):
            check_delta(delta, devices=40)
