"""What stands beside a WebP's pixels costs itself; what makes them counts as it did."""

import struct
from io import BytesIO

import numpy as np
import pytest
from exif_blocks import RUBBISH
from PIL import Image
from spoilt_pictures import encoded, picture, with_riff_chunk

from photos.folder.formats.webp import beside_webp, open_webp

PLAIN = encoded(picture(), "WEBP", lossless=True)
EXTENDED = encoded(picture(), "WEBP", lossless=True, icc_profile=b"rubbish", exif=b"Exif\0\0a")


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(open_webp(data).image.convert("RGB"))


@pytest.mark.parametrize("whole", [PLAIN, EXTENDED], ids=["plain", "extended"])
@pytest.mark.parametrize("rubbish", RUBBISH)
def test_exif_of_rubbish_leaves_the_pixels_and_is_kept_apart(whole, rubbish):
    stored = open_webp(with_riff_chunk(whole, b"EXIF", RUBBISH[rubbish]))
    assert (np.asarray(stored.image) == np.asarray(picture())).all()
    assert stored.beside.exif[-1] == RUBBISH[rubbish]


@pytest.mark.parametrize("length", [0, 1, 5, 4000, 2**32 - 1])
@pytest.mark.parametrize("kind", [b"EXIF", b"XMP ", b"ICCP", b"abcd", b"\0\0\0\0"])
def test_a_chunk_of_any_length_after_the_pixels_leaves_them(kind, length):
    spoilt = with_riff_chunk(EXTENDED, kind, b"abcd", length=length)
    assert (_pixels(spoilt) == np.asarray(picture())).all()


@pytest.mark.parametrize("length", [0, 4, 2**32 - 2])
def test_whatever_length_the_file_says_it_has_its_chunks_count(length):
    spoilt = PLAIN[:4] + struct.pack("<L", length) + PLAIN[8:]
    assert (_pixels(spoilt) == np.asarray(picture())).all()


def test_xmp_is_kept_apart_and_no_more_blocks_are_looked_at_than_a_camera_may_write():
    data = PLAIN
    for _ in range(40):
        data = with_riff_chunk(with_riff_chunk(data, b"XMP ", b"<x/>"), b"EXIF", b"II*\0")
    stored = open_webp(data)
    assert stored.beside.xmp == (b"<x/>",) * 4
    assert stored.beside.exif == (b"II*\0",) * 4
    assert beside_webp(BytesIO(data)) == stored.beside


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("lossless", [True, False])
def test_pixels_are_those_that_pillow_reads_from_the_whole_file(tmp_path, mode, lossless):
    path = tmp_path / "a.webp"
    image = picture().convert(mode)
    if mode == "RGBA":
        image.putalpha(100)
    path.write_bytes(encoded(image, "WEBP", lossless=lossless, xmp=b"<x/>"))
    with Image.open(path) as whole:
        expected = np.asarray(whole)
    found = np.asarray(open_webp(path.read_bytes()).image)
    assert found.shape == expected.shape
    assert (found == expected).all()


def test_of_an_animation_the_first_picture_is_opened():
    blue = Image.new("RGB", picture().size, (0, 0, 255))
    moving = encoded(
        picture(), "WEBP", save_all=True, append_images=[blue], lossless=True, exif=b"II*\0"
    )
    assert (_pixels(moving) == np.asarray(picture())).all()


def test_pixels_that_are_cut_are_refused():
    for cut in range(12, len(PLAIN) - 4, 7):
        with pytest.raises((OSError, SyntaxError, ValueError)):
            _pixels(PLAIN[:cut])


def test_what_holds_no_picture_cannot_be_opened():
    assert beside_webp(BytesIO(PLAIN)).openable
    for data in (b"", PLAIN[:16], b"RIFF\4\0\0\0WEBP", PLAIN[:12] + b"EXIF\2\0\0\0ab"):
        assert not beside_webp(BytesIO(data)).openable
