"""The time of capture and the turn, whatever a camera or an editor wrote."""

import struct
from datetime import datetime

import pytest
from exif_blocks import (
    BYTE,
    FRACTION,
    LONG,
    OPAQUE,
    ORIENTATION,
    RATIO,
    RUBBISH,
    SHORT,
    SIGNED,
    TAKEN,
    TEXT,
    block,
    short,
    text,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photos.folder.formats.exif import orientation, taken

SECOND = datetime(2026, 5, 14, 10, 20, 30)


def _at(fraction: str | bytes, time: str = "2026:05:14 10:20:30") -> datetime | None:
    return taken([block([], [text(TAKEN, time), text(FRACTION, fraction)])])


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_rubbish_has_no_time_and_is_upright(rubbish):
    assert taken([RUBBISH[rubbish]]) is None
    assert orientation([RUBBISH[rubbish]], []) == 1


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_sound_block_after_rubbish_counts(rubbish):
    sound = block([short(ORIENTATION, 6)], [text(TAKEN, "2026:05:14 10:20:30")])
    assert taken([RUBBISH[rubbish], sound]) == SECOND
    assert orientation([RUBBISH[rubbish], sound], []) == 6


@pytest.mark.parametrize(
    "fraction",
    ["+25", "-1", "0.25", ".25", "25ms", "25Z", "25/100", "12:34", "nan", "1e5", "x", "", " ",
     "²", "٣", "٢٥".encode(), b"", b"\0\0", b"\xff\xfe"],
)  # fmt: skip
def test_a_fraction_that_is_not_digits_costs_the_fraction_alone(fraction):
    raw = fraction if isinstance(fraction, bytes) else fraction.encode("utf-8")
    assert _at(raw) == SECOND


@pytest.mark.parametrize(
    ("fraction", "microseconds"),
    [
        ("25", 250_000),
        ("025", 25_000),
        (" 25 ", 250_000),
        ("25\0ms", 250_000),
        ("0", 0),
        ("999999", 999_999),
        ("9999999", 999_999),
        ("1" * 4000, 111_111),
    ],
)
def test_digits_are_a_fraction_that_never_reaches_the_next_second(fraction, microseconds):
    assert _at(fraction) == SECOND.replace(microsecond=microseconds)


def test_the_last_second_of_year_9999_is_a_time():
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999)
    assert _at("9999999", "9999:12:31 23:59:59") == last


@pytest.mark.parametrize("kind", [BYTE, TEXT, OPAQUE])
def test_a_time_may_be_of_any_type_that_holds_bytes(kind):
    raw = b"2026:05:14 10:20:30\0"
    assert taken([block([], [(TAKEN, kind, len(raw), raw), (FRACTION, kind, 2, b"25")])]) == (
        SECOND.replace(microsecond=250_000)
    )


def test_a_fraction_of_a_number_is_its_digits():
    photo = [text(TAKEN, "2026:05:14 10:20:30"), (FRACTION, SHORT, 1, struct.pack("<H", 25))]
    assert taken([block([], photo)]) == SECOND.replace(microsecond=250_000)


@pytest.mark.parametrize(
    "time",
    ["", "yesterday", "0000:00:00 00:00:00", "2026:13:14 10:20:30", "2026:05:14", "\xff" * 19],
)
def test_what_is_no_time_is_none(time):
    assert _at("25", time) is None


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "code"),
    [(SHORT, "H"), (LONG, "L"), (SIGNED, "l"), (BYTE, "B"), (OPAQUE, "B"), (RATIO, "LL")],
)
def test_a_turn_of_any_type_counts(order, turn, kind, code):
    numbers = (turn, 1)[: len(code)]
    tag = (ORIENTATION, kind, 1, struct.pack(order + code, *numbers))
    assert orientation([block([tag], order=order)], []) == turn


@pytest.mark.parametrize("turn", [0, 9, 65_535])
def test_a_turn_that_there_is_not_leaves_the_picture_to_xmp_or_as_it_is(turn):
    exif = [block([short(ORIENTATION, turn)])]
    assert orientation(exif, []) == 1
    assert orientation(exif, [b'<x tiff:Orientation="6"/>']) == 6


@pytest.mark.parametrize(
    ("packet", "turn"),
    [
        (b'<rdf:Description tiff:Orientation="8"/>', 8),
        (b"<tiff:Orientation>3</tiff:Orientation>", 3),
        (b"<tiff:Orientation>31</tiff:Orientation>", 1),
        (b"\xff\xfe", 1),
    ],
)
def test_xmp_says_the_turn_where_exif_does_not(packet, turn):
    assert orientation([], [packet]) == turn
    assert orientation([block([short(ORIENTATION, 2)])], [packet]) == 2


@pytest.mark.parametrize("prefix", [b"Exif\0\0", b""])
def test_what_pillow_writes_is_read(prefix):
    exif = Image.Exif()
    exif[ORIENTATION] = 5
    exif[0x010F] = "A camera of a long name"
    exif.get_ifd(0x8769).update({TAKEN: "2026:05:14 10:20:30", FRACTION: "5", 0x9286: b"\0a"})
    raw = prefix + exif.tobytes().removeprefix(b"Exif\0\0")
    assert taken([raw]) == SECOND.replace(microsecond=500_000)
    assert orientation([raw], []) == 5


@given(st.data())
def test_bytes_changed_anywhere_never_raise(data):
    raw = bytearray(block([short(ORIENTATION, 6)], [text(TAKEN, "2026:05:14 10:20:30")]))
    for _ in range(3):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert orientation([bytes(raw)], []) in range(1, 9)
    assert taken([bytes(raw)]) is None or taken([bytes(raw)]).year >= 1
