"""The first source of a time counts, and all are compared in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from photos.owned.metadata.capture_time import TimeSource, capture_time

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2024, 7, 1, 12)


def taken(name="x.jpg", *, exif=None, takeout=None, modified=0.0, clock=BERLIN):
    found = capture_time(name, exif=exif, takeout=takeout, modified=modified, clock=clock)
    assert found.utc.utcoffset() == timedelta()
    return str(found.utc.replace(tzinfo=None)), found.source


def test_sources_are_asked_in_their_order():
    all_of_them = {
        "exif": NOON.replace(tzinfo=timezone(timedelta(hours=5))),
        "takeout": datetime(2022, 1, 1, tzinfo=UTC),
        "modified": 86_400.0,
    }
    name = "IMG_20230101_120000.jpg"
    assert taken(name, **all_of_them) == ("2024-07-01 07:00:00", TimeSource.EXIF)
    all_of_them["exif"] = NOON
    assert taken(name, **all_of_them) == ("2024-07-01 10:00:00", TimeSource.EXIF_CLOCK)
    all_of_them["exif"] = None
    assert taken(name, **all_of_them) == ("2023-01-01 11:00:00", TimeSource.NAME)
    day = "IMG-20230101-WA0001.jpg"
    assert taken(day, **all_of_them) == ("2022-12-31 23:00:00", TimeSource.NAMED_DAY)
    assert taken(**all_of_them) == ("2022-01-01 00:00:00", TimeSource.TAKEOUT)
    assert taken(modified=86_400.0) == ("1970-01-02 00:00:00", TimeSource.FILE)


def test_googles_camera_names_utc_whatever_the_clock():
    assert taken("PXL_20240701_120000000.jpg") == ("2024-07-01 12:00:00", TimeSource.NAME)


@pytest.mark.parametrize(
    "named",
    [
        {"exif": datetime(1, 1, 1)},
        {"exif": datetime(9999, 12, 31, 23, 59), "clock": timezone(timedelta(hours=-5))},
        {"exif": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))},
        {"modified": 1e300},
        {"modified": float("nan")},
        {"modified": -1e300},
    ],
)
def test_times_beyond_the_calendar_are_1970(named):
    assert taken(**named)[0] == "1970-01-01 00:00:00"
