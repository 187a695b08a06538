import math

import pytest

from privacy.mechanisms.base.unit_settings import within


@pytest.mark.parametrize(
    ("budget", "expected"), [(0.5, 0), (1.0, 1), (6.9, 6), (7.0, 7), (100.0, 9)]
)
def test_within_a_budget_is_the_largest_count_that_keeps_it(budget, expected):
    assert within(float, budget, most=9) == expected


def test_an_epsilon_that_is_no_number_is_within_nothing():
    assert within(lambda _: math.nan, 1.0, most=10) == 0
