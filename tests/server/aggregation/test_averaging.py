import numpy as np
import pytest

from server.aggregation.averaging import RecentAverage


def test_the_model_is_the_average_of_the_last_rounds_and_of_all_while_they_are_fewer():
    recent = RecentAverage(2)

    averages = [recent.add(np.float32([value, -value])) for value in (2, 4, 10)]

    assert [average.tolist() for average in averages] == [[2, -2], [3, -3], [7, -7]]


def test_one_round_is_the_last_parameters_to_the_bit():
    recent = RecentAverage(1)
    recent.add(np.float32([9]))
    last = np.float32([0.1])

    assert recent.add(last) is last


def test_what_was_averaged_cannot_be_written():
    recent = RecentAverage(3)
    recent.add(np.float32([1]))

    with pytest.raises(ValueError, match="read-only"):
        recent.add(np.float32([2]))[0] = 5
