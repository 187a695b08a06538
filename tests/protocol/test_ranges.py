"""Ranges at their ends, and in words."""

import math

import pytest
from annotated_types import Ge, Gt, Interval, Le, Lt, MultipleOf
from hypothesis import given
from hypothesis import strategies as st

from protocol.ranges import allowed, within

numbers = st.floats(allow_nan=False)


@pytest.mark.parametrize(
    ("limit", "below", "at", "above"),
    [
        (Gt(2), False, False, True),
        (Ge(2), False, True, True),
        (Lt(2), True, False, False),
        (Le(2), True, True, False),
    ],
)
def test_each_limit_has_its_end_in_or_out(limit, below, at, above):
    assert [within(one, [limit]) for one in (1.999, 2, 2.001)] == [below, at, above]


@given(numbers, numbers, numbers)
def test_several_limits_hold_together_in_an_interval_or_one_by_one(number, low, high):
    both = low < number <= high
    assert within(number, [Interval(gt=low, le=high)]) == both
    assert within(number, [Gt(low), Le(high)]) == both
    assert within(number, [])


def test_what_is_no_number_is_within_nothing():
    for limit in (Gt(0), Ge(0), Lt(0), Le(0)):
        assert not within(math.nan, [limit])


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ([Gt(0)], "above 0"),
        ([Interval(ge=1, le=10)], "at least 1 and at most 10"),
        ([Interval(gt=0, lt=1)], "above 0 and below 1"),
        ([Ge(0), Lt(0.5)], "at least 0 and below 0.5"),
    ],
)
def test_limits_are_reported_in_words(limits, words):
    assert allowed(limits) == words


@pytest.mark.parametrize("ask", [lambda limits: within(4, limits), allowed])
def test_a_note_that_is_no_range_is_an_error_of_the_program(ask):
    with pytest.raises(TypeError, match=r"MultipleOf\(multiple_of=2\) is not a range"):
        ask([MultipleOf(2)])
