"""Tags of a TIFF directory, each by itself."""

import struct
import tracemalloc

import pytest
from exif_blocks import BYTE, LONG, OPAQUE, RATIO, RUBBISH, SHORT, TEXT, block
from hypothesis import given
from hypothesis import strategies as st

from photos.folder.formats.tiff_tags import Tiff

TAG = 0x0100


def _tags(raw: bytes, wanted: set[int]) -> dict[int, bytes | int]:
    tiff = Tiff.of(raw[6:])
    return tiff.tags(tiff.first_directory(), wanted=wanted) if tiff else {}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("kind", "code", "values", "expected"),
    [
        (BYTE, "B", (6,), b"\x06"),
        (SHORT, "H", (6,), 6),
        (SHORT, "HH", (6, 7), 6),
        (LONG, "L", (2**32 - 1,), 2**32 - 1),
        (RATIO, "LL", (12, 2), 6),
        (RATIO, "LL", (13, 2), None),
        (RATIO, "LL", (13, 0), None),
        (6, "b", (-6,), -6),
        (8, "h", (-6,), -6),
        (9, "l", (-6,), -6),
        (10, "ll", (-12, 2), -6),
        (11, "f", (6.0,), 6),
        (11, "f", (6.5,), None),
        (11, "f", (float("nan"),), None),
        (12, "d", (float("inf"),), None),
        (13, "L", (6,), 6),
        (0, "L", (6,), None),
        (14, "L", (6,), None),
    ],
)
def test_a_value_of_any_type_is_bytes_or_the_first_whole_number(
    order, kind, code, values, expected
):
    count = len(values) // (2 if kind in (5, 10) else 1)
    raw = block([(TAG, kind, count, struct.pack(order + code, *values))], order=order)
    assert _tags(raw, {TAG}) == ({} if expected is None else {TAG: expected})


@pytest.mark.parametrize("version", [b"*\0", b"\0*"])
def test_the_version_may_stand_in_either_order(version):
    raw = bytearray(block([(TAG, SHORT, 1, b"\x06\0")]))
    raw[8:10] = version
    assert _tags(bytes(raw), {TAG}) == {TAG: 6}


def test_a_tag_that_is_wrong_costs_no_other_and_one_not_wanted_is_not_returned():
    bad = [(0x0101, TEXT, 2**32 - 1, b"\xff\xff\xff\xff"), (0x0102, 77, 1, b"abcd")]
    good = [(TAG, TEXT, 6, b"hello\0"), (0x0103, SHORT, 1, b"\x01\0")]
    assert _tags(block([*bad, *good]), {TAG, 0x0101, 0x0102}) == {TAG: b"hello\0"}


def test_a_directory_that_is_cut_has_the_tags_before_the_cut():
    whole = block([(TAG, SHORT, 1, b"\x06\0"), (0x0101, SHORT, 1, b"\x07\0")])
    assert _tags(whole[:30], {TAG, 0x0101}) == {TAG: 6}


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_rubbish_has_no_tags(rubbish):
    assert _tags(RUBBISH[rubbish], {TAG}) == {}


@given(st.binary(max_size=80), st.sampled_from([b"II*\0", b"MM\0*"]))
def test_any_bytes_after_a_header_are_read_or_not_and_never_raise(rest, head):
    tiff = Tiff.of(head + rest)
    assert tiff is not None
    found = tiff.tags(tiff.first_directory(), wanted=range(2**16))
    assert all(isinstance(value, bytes | int) for value in found.values())


def test_tags_that_all_hold_the_whole_block_take_no_memory():
    entry = struct.pack("<HHLL", TAG, OPAQUE, 700_000, 0)
    raw = b"II*\0\x08\0\0\0" + struct.pack("<H", 60_000) + entry * 60_000
    tiff = Tiff.of(raw)
    assert tiff is not None
    tracemalloc.start()
    assert len(tiff.tags(8, wanted={TAG})[TAG]) == 64
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
