"""Bursts from nearness in time and likeness of pixels, worked by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from photos.owned.bursts import bursts

START = datetime(2024, 1, 31, 23, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "pictures", "expected"),
    [
        ([0, 1, 2], "aaa", [0, 0, 0]),
        ([0, 1, 2], "aba", [0, 1, 0]),
        ([0, 5, 10], "aaa", [0, 0, 0]),
        ([0, 5.1, 10], "aaa", [0, 1, 1]),
        ([0, 1, 2, 3], "abba", [0, 1, 1, 0]),
        ([0, 0, 0], "abc", [0, 1, 2]),
        ([], "", []),
    ],
)
def test_a_photo_joins_the_last_one_that_is_near_and_like_it(seconds, pictures, expected):
    hashes = {name: np.arange(64) < 20 * place for place, name in enumerate("abc")}
    times = [START + timedelta(seconds=second) for second in seconds]
    found = bursts(times, [hashes[name] for name in pictures], gap=5, distance=14)
    assert found.tolist() == expected
    assert found.dtype == np.int64


@pytest.mark.parametrize(("distance", "expected"), [(10, [0, 0]), (9, [0, 1])])
def test_how_many_bits_may_differ_is_a_setting(distance, expected):
    hashes = [np.arange(64) < 30, np.arange(64) < 40]
    assert bursts([START, START], hashes, gap=0, distance=distance).tolist() == expected
