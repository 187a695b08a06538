"""Camera raw by its preview, with a reader that is made up."""

import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from exif_blocks import ORIENTATION, TAKEN, block, short, text
from raw_reader import made_up_reader
from spoilt_pictures import encoded, picture

from photos.folder.decoding import decode
from photos.folder.formats.detection import RAW_SUFFIXES
from photos.folder.photograph import Photograph
from photos.folder.skips import Skip
from photos.owned.metadata.facts import read_facts

RAW = block([short(ORIENTATION, 6)], [text(TAKEN, "2026:05:14 10:20:30")])[6:] + bytes(99)


@pytest.fixture
def preview(monkeypatch):
    """Sets what the reader finds in any file."""
    return made_up_reader(monkeypatch)


def _decode(tmp_path: Path, name: str = "a.NEF") -> Photograph | Skip:
    path = tmp_path / name
    path.write_bytes(RAW)
    return decode(path, side=16)


@pytest.mark.parametrize("suffix", RAW_SUFFIXES)
def test_without_its_reader_it_is_skipped_in_a_sentence_that_names_the_extra(
    tmp_path, monkeypatch, suffix
):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    assert _decode(tmp_path, f"a{suffix}") == Skip.NO_RAW
    assert "[raw]" in Skip.NO_RAW


def test_a_preview_without_exif_has_the_turn_and_the_time_of_its_file(tmp_path, preview):
    preview(encoded(picture(), "JPEG", quality=95))
    photo = _decode(tmp_path)
    preview(encoded(picture(), "JPEG", quality=95, exif=RAW))
    assert photo.taken == datetime(2026, 5, 14, 10, 20, 30)
    assert (photo.pixels == _decode(tmp_path).pixels).all()


def test_a_previews_own_exif_counts_first(tmp_path, preview):
    own = block([short(ORIENTATION, 1)], [text(TAKEN, "2025:01:01 00:00:00")])
    preview(encoded(picture(), "JPEG", exif=own))
    assert _decode(tmp_path).taken == datetime(2025, 1, 1)


def test_a_preview_of_pixels_is_a_photo_too(tmp_path, preview):
    preview(np.asarray(picture()))
    assert _decode(tmp_path).pixels.shape == (16, 16, 3)


@pytest.mark.parametrize(
    "found", ["LibRawNoThumbnailError", "LibRawUnsupportedThumbnailError", b"no jpeg"]
)
def test_a_file_without_a_preview_is_skipped_in_one_sentence(tmp_path, preview, found):
    preview(found)
    assert _decode(tmp_path) == Skip.NO_PREVIEW


def test_a_preview_that_is_cut_is_damaged(tmp_path, preview):
    preview(encoded(picture(), "JPEG")[:-50])
    assert _decode(tmp_path) == Skip.DAMAGED


STARS, PACKET = 0x4746, 0x02BC
LONG_PACKET = b"<x>" + b"edit " * 100 + b"</x>"
DNG = block([short(STARS, 4), text(PACKET, LONG_PACKET)])[6:]


def test_of_a_file_without_a_time_the_previews_counts(tmp_path, preview):
    path = tmp_path / "a.DNG"
    path.write_bytes(DNG)
    preview(encoded(picture(), "JPEG", exif=block([], [text(TAKEN, "2025:01:01 00:00:00")])))
    found = read_facts(path)
    assert found.format == "camera raw"
    assert (found.taken, found.stars) == (datetime(2025, 1, 1), 4)
    assert found.xmp == (LONG_PACKET,)


def test_a_file_that_says_its_time_is_not_opened_and_read_to_its_packet_alone(
    tmp_path, preview
):
    preview("LibRawNoThumbnailError")
    start = block([text(PACKET, LONG_PACKET)], [text(TAKEN, "2026:05:14 10:20:30")])[6:]
    place = start.index(LONG_PACKET).to_bytes(4, "little")
    moved = start.replace(place, (10**6).to_bytes(4, "little"))
    (tmp_path / "a.nef").write_bytes(moved.ljust(10**6, b"\0") + LONG_PACKET)
    found = read_facts(tmp_path / "a.nef")
    assert (found.format, found.xmp) == ("camera raw", (LONG_PACKET,))
    assert found.taken == datetime(2026, 5, 14, 10, 20, 30)


@pytest.mark.parametrize("found", ["LibRawNoThumbnailError", b"no jpeg", None])
def test_a_file_says_its_rating_where_no_preview_can_be_read(
    tmp_path, preview, monkeypatch, found
):
    preview(found)
    if found is None:
        monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / "a.dng"
    path.write_bytes(DNG)
    assert read_facts(path).stars == 4
    path.write_bytes(RAW)
    assert read_facts(path).taken == datetime(2026, 5, 14, 10, 20, 30)
    assert read_facts(path).format == ("" if found is None else "camera raw")


def test_a_packet_beyond_the_end_is_as_long_as_the_file_has_it(tmp_path, preview):
    preview("LibRawNoThumbnailError")
    path = tmp_path / "a.dng"
    path.write_bytes(block([(PACKET, 1, 2**32 - 1, b"\x10\0\0\0")])[6:])
    assert read_facts(path).xmp in ((), (path.read_bytes()[16:],))
