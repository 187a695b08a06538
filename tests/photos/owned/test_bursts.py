"""Bursts from nearness in time and likeness of pixels, worked by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from photos.owned.bursts import bursts, difference_hash

START = datetime(2024, 1, 31, 23, 59, 58, tzinfo=UTC)


def grey(columns):
    """A picture of 72 pixels a side whose nine broad columns have these brightnesses."""
    row = np.repeat(np.array(columns, dtype=np.uint8), 8)
    return np.broadcast_to(row[None, :, None], (72, 72, 3)).copy()


def test_the_hash_says_where_brightness_falls():
    found = difference_hash(grey([9, 8, 8, 20, 10, 30, 40, 50, 0])).reshape(8, 8)
    assert found.shape == (8, 8)
    assert found[0].tolist() == [True, False, False, True, False, False, False, True]
    assert (found == found[0]).all()


def test_the_hash_of_a_brighter_copy_is_the_same_and_a_mirrored_one_is_another():
    picture = grey([10, 20, 30, 90, 80, 100, 40, 70, 50])
    assert (difference_hash(picture) == difference_hash(picture + 100)).all()
    assert (difference_hash(picture) != difference_hash(picture[:, ::-1])).any()


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
