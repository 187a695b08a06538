"""The table from stars, percent, labels and hearts to feedback, and which source counts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.library import Feedback
from photos.owned.metadata.ratings import (
    RatingSource,
    Said,
    of_exif,
    of_takeout,
    of_xmp,
    rating,
)
from photos.owned.metadata.takeout import Takeout
from photos.owned.metadata.xmp import Xmp

FAVOURITE, KEEP, DELETE = Feedback.FAVOURITE, Feedback.KEEP, Feedback.DELETE
SIDECAR, EMBEDDED = RatingSource.SIDECAR, RatingSource.EMBEDDED


def xmp(favourite_from=4, **said):
    return of_xmp(Xmp(**said), source=SIDECAR, favourite_from=favourite_from)


@pytest.mark.parametrize(
    ("stars", "expected"),
    [
        *(("-1", DELETE), ("0", None), ("1", KEEP), ("2", KEEP), ("3", KEEP)),
        *(("4", FAVOURITE), ("5", FAVOURITE), ("3.9", KEEP), ("-0.5", DELETE), ("", None)),
    ],
)
def test_stars_of_xmp(stars, expected):
    assert xmp(stars=stars) == Said(source=SIDECAR, feedback=expected)


@pytest.mark.parametrize("least", range(1, 6))
def test_from_how_many_stars_on_a_photo_is_a_favourite_is_a_setting(least):
    given_stars = [of_exif(stars, None, favourite_from=least).feedback for stars in range(1, 6)]
    assert given_stars == [FAVOURITE if stars >= least else KEEP for stars in range(1, 6)]


@pytest.mark.parametrize(
    ("percent", "stars"),
    [(1, 1), (12, 1), (13, 2), (37, 2), (38, 3), (62, 3), (63, 4), (87, 4), (88, 5), (100, 5)],
)
def test_percent_are_the_stars_that_windows_shows(percent, stars):
    for least in range(1, 6):
        expected = FAVOURITE if stars >= least else KEEP
        assert of_exif(None, percent, favourite_from=least).feedback is expected
        assert xmp(percent=str(percent), favourite_from=least).feedback is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"stars": "2", "percent": "99", "pick": "1"}, KEEP),
        ({"stars": "0", "percent": "99"}, FAVOURITE),
        ({"stars": "0", "pick": "1"}, DELETE),
        ({"pick": "2"}, None),
        ({"pick": "3"}, None),
        ({"keywords": ["beach", "FAVOURITE"]}, FAVOURITE),
        ({"keywords": ["favorites of Ann"]}, None),
        ({"pick": "1", "keywords": ["favorite"]}, DELETE),
    ],
)
def test_what_counts_where_a_packet_says_several_things(said, expected):
    assert xmp(**said).feedback is expected


@pytest.mark.parametrize("stars", ["6", "-2", "nan", "inf", "five", "1 0", "9" * 400])
def test_stars_out_of_range_are_no_rating_and_are_named(stars):
    found = xmp(stars=stars, percent="99")
    assert found.feedback is FAVOURITE
    (flaw,) = found.flaws
    assert flaw.startswith("a rating of '")
    assert len(flaw) <= 80


@pytest.mark.parametrize("stars", [6, -2, (5, 5), b"5", 10**400, [5]])
def test_strange_values_of_exif_are_no_rating(stars):
    found = of_exif(stars, 1000, favourite_from=4)
    assert (found.feedback, len(found.flaws)) == (None, 2)


@given(
    st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary(), st.tuples()),
    st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.binary(), st.tuples()),
)
def test_nothing_that_a_file_says_raises(stars, percent):
    found = of_exif(stars, percent, favourite_from=4)
    assert found.feedback in (None, *Feedback)


@pytest.mark.parametrize(
    ("favourite", "trashed", "expected"),
    [(0, 0, None), (1, 0, FAVOURITE), (0, 1, DELETE), (1, 1, DELETE)],
)
def test_hearts_and_the_bin_of_takeout(favourite, trashed, expected):
    said = Takeout(
        title="", taken=datetime.now(UTC), favourite=bool(favourite), trashed=bool(trashed)
    )
    assert of_takeout(said).feedback is expected


def test_the_first_source_that_says_something_counts_and_a_dispute_is_known():
    said = [
        Said(source=RatingSource.TAKEOUT, feedback=DELETE),
        Said(source=RatingSource.EXIF, feedback=FAVOURITE),
        Said(source=EMBEDDED, feedback=FAVOURITE),
        Said(source=SIDECAR, feedback=None),
    ]
    found = rating(said)
    assert found is not None
    assert (found.feedback, found.source, found.disputed) == (FAVOURITE, EMBEDDED, True)
    assert rating(said[1:]).disputed is False
    assert rating(said[3:]) is rating([]) is None
