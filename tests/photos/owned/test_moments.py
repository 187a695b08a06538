"""Moments follow from pauses, and a long one is cut where its owner paused longest."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.owned.index import IndexedPhoto
from photos.owned.metadata.capture_time import CaptureTime, TimeSource
from photos.owned.moments import moment_number, moments

START = datetime(2024, 1, 31, 23, 50, tzinfo=UTC)


def photos(minutes, *, source=TimeSource.EXIF):
    return [
        IndexedPhoto(
            name=f"{place:05}.jpg",
            format="JPEG",
            size=1,
            taken=CaptureTime(utc=START + timedelta(minutes=minute), source=source),
            rating=None,
        )
        for place, minute in enumerate(minutes)
    ]


def cut(minutes, gap=30.0, **named):
    """The places of the photos of each moment."""
    found = moments(photos(minutes, **named), gap=gap)
    return [[int(photo.name[:5]) for photo in one] for one in found]


def test_a_pause_longer_than_the_gap_ends_a_moment_and_midnight_does_not():
    assert cut([0, 20, 50, 80.1, 81]) == [[0, 1, 2], [3, 4]]
    assert cut([0, 20, 50, 80.1, 81], gap=10) == [[0], [1], [2], [3, 4]]
    assert cut([]) == []


def test_of_a_day_alone_there_is_one_moment_and_it_is_apart():
    day = photos([10, 10, 1450, 1450], source=TimeSource.NAMED_DAY)
    timed = photos([10, 11])
    found = list(moments([*day, *timed], gap=10_000))
    assert [len(one) for one in found] == [2, 2, 2]
    assert set(found[2]) == set(timed)


@pytest.mark.parametrize(
    ("minutes", "lengths"),
    [
        (range(12), [12]),
        (range(13), [6, 7]),
        (range(24), [12, 12]),
        (range(26), [6, 7, 6, 7]),
        ([*range(4), *range(5, 14)], [4, 9]),
        # The longest pause, after the first photo, would leave it alone.
        ([0, *range(20, 26), *range(27, 33)], [7, 6]),
        ([0] * 48, [12, 12, 12, 12]),
    ],
)
def test_long_moments_are_cut_in_their_middle_half(minutes, lengths):
    assert [len(one) for one in cut(minutes)] == lengths


@given(st.lists(st.floats(0, 500), max_size=80))
def test_no_photo_is_lost_or_alone_by_a_cut_and_all_stay_in_order(minutes):
    found = cut(sorted(minutes))
    assert [place for one in found for place in one] == list(range(len(minutes)))
    assert all(1 <= len(one) <= 12 for one in found)
    whole = sorted(minutes)
    for one, after in pairwise(found):
        pause = whole[after[0]] - whole[one[-1]]
        if pause < 29.9:
            assert min(len(one), len(after)) >= 3


@given(st.lists(st.floats(0, 300), max_size=40), st.lists(st.floats(0, 300), max_size=40))
def test_moments_more_than_a_gap_apart_never_change_each_other(early, late):
    first, second = sorted(early), sorted(1000 + minute for minute in late)
    together = photos([*first, *second])
    apart = [*moments(together[: len(first)], gap=30), *moments(together[len(first) :], gap=30)]
    assert list(moments(together, gap=30)) == apart


def test_the_number_of_a_moment_is_the_head_of_its_first_photos_sha256():
    found = photos([0, 1])
    expected = int(hashlib.sha256(b"00000.jpg").hexdigest()[:16], 16) >> 1
    assert moment_number(found) == moment_number(found[:1]) == expected
    assert moment_number(found[1:]) != expected


def test_ten_thousand_photos_of_one_moment_are_cut_in_a_moment():
    # Ever shorter pauses would cut a photo at a time without the middle half.
    shrinking = [sum(10 / (1 + place) for place in range(count)) for count in range(0, 3000, 3)]
    assert max(map(len, cut(shrinking, gap=10_000))) <= 12
