"""What stands beside a PNG's pixels costs itself; what makes them is checked."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from exif_blocks import RUBBISH
from PIL import Image
from spoilt_pictures import encoded, picture, png_chunk, with_chunk

from photos.folder.formats.png import beside_png, open_png
from photos.folder.formats.stored import Beside

PLAIN = encoded(picture(), "PNG")
INDEXED = encoded(picture().convert("P"), "PNG")
BOMB = zlib.compress(bytes(50_000_000), 9)
CHUNKS = {
    "a packed text of zeros without end": (b"zTXt", b"Comment\0\0" + BOMB),
    "an international text likewise": (b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
    "a packed text that is no zlib": (b"zTXt", b"Comment\0\0rubbish"),
    "a packed text of an unknown method": (b"zTXt", b"Comment\0\7" + zlib.compress(b"a")),
    "a text without a keyword": (b"tEXt", b""),
    "an international text that is cut": (b"iTXt", b"Comment\0\1"),
    "a raw profile of bad hex": (b"tEXt", b"Raw profile type exif\0\nexif\n  4\nzzzz"),
    "a raw profile of odd hex": (b"tEXt", b"Raw profile type exif\0\nexif\n  4\nabc"),
    "a raw profile of one line": (b"tEXt", b"Raw profile type exif\0abc"),
    "an ICC profile that is no zlib": (b"iCCP", b"name\0\0rubbish"),
    "an ICC profile of nothing": (b"iCCP", b""),
    "an ICC profile of zeros without end": (b"iCCP", b"name\0\0" + BOMB),
    "a short gamma": (b"gAMA", b"\0"),
    "short chromaticities": (b"cHRM", b"\0\0\0"),
    "a short intent": (b"sRGB", b""),
    "a short density": (b"pHYs", b"\0\0"),
    "a short time": (b"tIME", b"\0"),
    "a short animation": (b"acTL", b"\0"),
    "an animation of no frames": (b"acTL", bytes(8)),
    "a palette as advice, cut": (b"PLTE", b"\0"),
    "a chunk of a maker": (b"vpAg", b"\0"),
}


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(open_png(data).image.convert("RGB"))


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("rubbish", RUBBISH)
def test_exif_of_rubbish_leaves_the_pixels_and_is_kept_apart(rubbish, before):
    stored = open_png(with_chunk(PLAIN, png_chunk(b"eXIf", RUBBISH[rubbish]), before=before))
    assert (np.asarray(stored.image) == np.asarray(picture())).all()
    assert stored.beside.exif == (RUBBISH[rubbish],)


@pytest.mark.parametrize("sound", [True, False])
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_any_other_chunk_leaves_the_pixels_whatever_its_checksum(chunk, before, sound):
    spoilt = with_chunk(PLAIN, png_chunk(*CHUNKS[chunk], sound=sound), before=before)
    assert (_pixels(spoilt) == np.asarray(picture())).all()


def test_a_chunk_between_those_of_the_pixels_is_passed_over():
    place = PLAIN.index(b"IDAT")
    (length,) = struct.unpack(">L", PLAIN[place - 4 : place])
    pixels = PLAIN[place + 4 : place + 4 + length]
    halves = png_chunk(b"IDAT", pixels[:50]) + png_chunk(b"tEXt", b"a\0b", sound=False)
    whole = PLAIN[: place - 4] + halves + png_chunk(b"IDAT", pixels[50:])
    assert (_pixels(whole) == np.asarray(picture())).all()


def test_transparency_of_a_wrong_checksum_is_left_out():
    spoilt = with_chunk(INDEXED, png_chunk(b"tRNS", bytes(256), sound=False))
    assert (_pixels(spoilt) == _pixels(INDEXED)).all()


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT"])
def test_a_wrong_checksum_of_what_makes_the_pixels_is_refused(kind):
    spoilt = bytearray(INDEXED)
    place = spoilt.index(kind)
    (length,) = struct.unpack(">L", spoilt[place - 4 : place])
    spoilt[place + 4 + length] ^= 1
    with pytest.raises(ValueError, match="checksum"):
        open_png(bytes(spoilt))


def test_pixels_that_are_cut_are_refused():
    for cut in range(len(PLAIN) - 60, 8, -7):
        with pytest.raises((OSError, SyntaxError, ValueError)):
            _pixels(PLAIN[:cut])


def test_raw_profiles_and_xmp_are_kept_apart_packed_or_not():
    exif, xmp = b"Exif\0\0II*\0", b'<x tiff:Orientation="6"/>'
    profile = b"\nexif\n      10\n" + exif.hex().encode() + b"\n"
    data = with_chunk(PLAIN, png_chunk(b"tEXt", b"Raw profile type exif\0" + profile))
    packed = b"Raw profile type exif\0\0" + zlib.compress(profile)
    data = with_chunk(data, png_chunk(b"zTXt", packed))
    data = with_chunk(data, png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    data = with_chunk(
        data, png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0\0" + zlib.compress(xmp))
    )
    stored = open_png(data)
    assert stored.beside.exif == (exif, exif)
    assert stored.beside.xmp == (xmp, xmp)


def test_of_an_animation_the_still_picture_is_opened():
    blue = Image.new("RGB", picture().size, (0, 0, 255))
    moving = encoded(picture(), "PNG", save_all=True, append_images=[blue], default_image=True)
    assert (_pixels(moving) == np.asarray(picture())).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pixels_are_those_that_pillow_reads_from_the_whole_file(tmp_path, mode):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(picture().convert(mode), "PNG", pnginfo=None, dpi=(72, 72)))
    with Image.open(path) as image:
        expected = np.asarray(image)
    assert (np.asarray(open_png(path.read_bytes()).image) == expected).all()


def test_a_file_of_texts_alone_is_not_read_for_ever():
    data = with_chunk(PLAIN, png_chunk(b"zTXt", b"a\0\0" + BOMB) * 500)
    assert (_pixels(data) == np.asarray(picture())).all()


PACKET = b"XML:com.adobe.xmp\0"
XMP = png_chunk(b"iTXt", PACKET + b"\0\0\0\0" + b"<x/>")
PACKED = png_chunk(b"iTXt", PACKET + b"\1\0\0\0" + zlib.compress(b"<x/>"))


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_of_a_file_all_is_found_that_stands_beside_its_pixels_in_order(before):
    chunks = png_chunk(b"eXIf", b"1") + png_chunk(b"eXIf", b"2") + XMP + PACKED
    data = with_chunk(PLAIN, chunks, before=before)
    found = beside_png(BytesIO(data))
    assert found == Beside(exif=(b"1", b"2"), xmp=(b"<x/>", b"<x/>"))
    assert found == open_png(data).beside


@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_file_says_what_its_bytes_say(chunk):
    data = with_chunk(PLAIN, png_chunk(*CHUNKS[chunk]))
    assert beside_png(BytesIO(data)) == open_png(data).beside


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"\0\0",
        struct.pack(">I4s", 2**32 - 1, b"IHDR") + b"x" * 100,
        png_chunk(b"iTXt", PACKET + b"\1\0\0\0packed"),
        png_chunk(b"iTXt", b"Title\0\0\0\0\0hello"),
        png_chunk(b"tEXt", b"") * 2**15 + png_chunk(b"eXIf", b"late"),
    ],
)
def test_nothing_else_is_taken_for_it_and_without_pixels_nothing_can_be_opened(rest):
    found = beside_png(BytesIO(b"\x89PNG\r\n\x1a\n" + rest))
    assert (found.exif, [one for one in found.xmp if one], found.openable) == ((), [], False)


def test_a_packet_of_many_edits_is_whole_and_one_of_zeros_without_end_is_not():
    long = b"<x>" + b"edit " * 500_000 + b"</x>"
    data = with_chunk(PLAIN, png_chunk(b"iTXt", PACKET + b"\0\0\0\0" + long))
    assert beside_png(BytesIO(data)).xmp == (long,)
    bombs = png_chunk(b"iTXt", PACKET + b"\1\0\0\0" + BOMB) * 5
    assert [len(one) for one in beside_png(BytesIO(with_chunk(PLAIN, bombs))).xmp] == [
        2**24
    ] * 4


def test_pixels_are_passed_over_unread():
    class Counting(BytesIO):
        read_bytes = 0

        def read(self, size=-1):
            found = super().read(size)
            Counting.read_bytes += len(found)
            return found

    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    data = with_chunk(encoded(Image.fromarray(noise), "PNG"), XMP, before=b"IEND")
    assert beside_png(Counting(data)).xmp == (b"<x/>",)
    assert len(data) > 400_000
    assert Counting.read_bytes < 1_000
