"""When a photo was taken, as names of many programs say it."""

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.owned.metadata.file_names import NamedTime, named_time

DAY = date(2024, 1, 31)


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("IMG_20240131_235959.jpg", time(23, 59, 59)),
        ("IMG_20240131_235959123_HDR.jpg", time(23, 59, 59, 123000)),
        ("IMG_20240131_235959_01.jpg", time(23, 59, 59)),
        ("20240131_235959.heic", time(23, 59, 59)),
        ("2024-01-31 23.59.59.jpg", time(23, 59, 59)),
        ("2024-01-31 23.59.59-1.jpg", time(23, 59, 59)),
        ("2024_01_31_23_59_59.png", time(23, 59, 59)),
        ("signal-2024-01-31-235959.jpg", time(23, 59, 59)),
        ("photo_2024-01-31_23-59-59 (2).jpg", time(23, 59, 59)),
        ("Screenshot_20240131-235959.png", time(23, 59, 59)),
        ("Screenshot 2024-01-31 235959.png", time(23, 59, 59)),
        ("Screenshot 2024-01-31 at 11.59.59 PM.png", time(23, 59, 59)),
        ("Screenshot 2024-01-31 at 11.59.59\u202fAM.png", time(11, 59, 59)),
        ("Screenshot 2024-01-31 at 12.00.00 AM.png", time(0, 0, 0)),
        ("Screenshot 2024-01-31 at 9.05.07 PM.png", time(21, 5, 7)),
        ("Captura de pantalla 2024-01-31 a la(s) 23.59.59.png", time(23, 59, 59)),
        ("00100lPORTRAIT_00100_BURST20240131235959123_COVER.jpg", time(23, 59, 59, 123000)),
        ("20240131_110000 Amsterdam.jpg", time(11, 0, 0)),
        ("IMG-20240131-WA0001.jpg", None),
        ("IMG-20240131-WA123456.jpg", None),
        ("20240131_0001.jpg", None),
        ("20240131_996161.jpg", None),
        ("2024-01-31.jpg", None),
        ("trip 2024.01.31 harbour.jpg", None),
        ("99999999 20240131.jpg", None),
    ],
)
def test_a_name_says_the_day_and_where_it_can_the_time(name, clock):
    assert named_time(name) == NamedTime(day=DAY, clock=clock, utc=False)


def test_a_day_alone_begins_at_midnight():
    named = named_time("IMG-20240131-WA0001.jpg")
    assert named is not None
    assert str(named.moment()) == "2024-01-31 00:00:00"


def test_googles_camera_names_its_files_by_utc():
    named = named_time("PXL_20240131_235959123.RAW-02.jpg")
    assert named == NamedTime(day=DAY, clock=time(23, 59, 59, 123000), utc=True)


@pytest.mark.parametrize(
    "name",
    [
        *("IMG_0412.JPG", "DSC00123.jpg", "", "2024.jpg", "20240230_120000.jpg"),
        *("IMG_20241331.jpg", "120240131.jpg", "202401311.jpg", "2024013112.jpg"),
        *("2024-0131.jpg", "18991231.jpg", "21000101.jpg"),
    ],
)
def test_other_numbers_are_no_day(name):
    assert named_time(name) is None


@given(st.text(max_size=60))
def test_no_name_raises(name):
    named_time(name)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2099, 12, 31)))
def test_whatever_is_written_is_read(taken):
    named = named_time(f"IMG_{taken:%Y%m%d_%H%M%S}.jpg")
    assert named is not None
    assert named.moment() == taken.replace(microsecond=0)
