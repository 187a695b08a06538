"""Text chunks, which may be packed, cut or hostile."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.folder.formats.png_text import profile_of_exif, text_of

PACKED = zlib.compress(b"text")


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        (b"tEXt", b"key\0text", (b"key", b"text")),
        (b"tEXt", b"key", (b"key", b"")),
        (b"zTXt", b"key\0\0" + PACKED, (b"key", b"text")),
        (b"zTXt", b"key\0\0" + PACKED[:-5], (b"key", b"text")),
        (b"zTXt", b"key\0\0text", (b"key", b"")),
        (b"iTXt", b"key\0\0\0de\0schl\0text", (b"key", b"text")),
        (b"iTXt", b"key\0\1\0de\0schl\0" + PACKED, (b"key", b"text")),
        (b"iTXt", b"key\0\0", (b"key", b"")),
    ],
)
def test_a_text_is_its_keyword_and_what_could_be_unpacked(kind, content, expected):
    assert text_of(kind, content) == expected


def test_a_megabyte_is_unpacked_at_most():
    bomb = zlib.compress(bytes(50_000_000), 9)
    assert text_of(b"zTXt", b"key\0\0" + bomb) == (b"key", bytes(2**20))


@given(st.sampled_from([b"tEXt", b"zTXt", b"iTXt"]), st.binary(max_size=60))
def test_any_bytes_are_a_text(kind, content):
    keyword, text = text_of(kind, content)
    assert isinstance(profile_of_exif(text), bytes)
    assert b"\0" not in keyword
