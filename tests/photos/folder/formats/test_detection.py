"""What a file is, by its first bytes."""

import struct

import pytest

from photos.folder.formats.detection import (
    AVIF,
    HEAD,
    HEIF,
    JPEG,
    PNG,
    RAW,
    RAW_SUFFIXES,
    WEBP,
    format_of,
)


def _ftyp(*brands: bytes) -> bytes:
    names = b"".join([brands[0], bytes(4), *brands[1:]])
    return struct.pack(">L", 8 + len(names)) + b"ftyp" + names


@pytest.mark.parametrize("suffix", [".jpg", ".heic", ".dng", ""])
@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\xff\xd8\xff\xe0", JPEG),
        (b"\x89PNG\r\n\x1a\n", PNG),
        (b"RIFF\0\0\0\0WEBPVP8 ", WEBP),
        (_ftyp(b"heic", b"mif1"), HEIF),
        (_ftyp(b"mif1", b"heic"), HEIF),
        (_ftyp(b"avif", b"mif1"), AVIF),
        (_ftyp(b"mif1", b"miaf", b"avif"), AVIF),
    ],
)
def test_a_format_is_told_by_its_bytes_whatever_the_file_is_called(head, found, suffix):
    assert format_of(head.ljust(HEAD, b"\0"), suffix=suffix) is found
    assert format_of(head, suffix=suffix) is found


@pytest.mark.parametrize(
    "head",
    [b"", b"\xff\xd8", b"GIF89a", b"%PDF-1.7", b"II*\0", b"BM", b"RIFF\0\0\0\0WAVE", bytes(64),
     _ftyp(b"qt  "), _ftyp(b"isom", b"mp42"), b"\0\0\0\x08ftypheic", b"\xff\xff\xff\xffftyp"],
)  # fmt: skip
def test_other_bytes_are_a_photo_only_where_the_file_is_called_camera_raw(head):
    assert format_of(head, suffix=".jpg") is None
    assert {format_of(head, suffix=one.upper()) for one in RAW_SUFFIXES} == {RAW}
