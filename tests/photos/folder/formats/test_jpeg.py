"""What stands beside a JPEG's pixels costs itself; what makes them counts as it did."""

import struct
from io import BytesIO

import numpy as np
import pytest
from exif_blocks import RUBBISH, block, short, text
from PIL import Image
from spoilt_pictures import encoded, picture, with_segment

from photos.folder.formats.jpeg import beside_jpeg, open_jpeg

PLAIN = encoded(picture(), "JPEG", quality=90)
DENSE = encoded(picture(), "JPEG", quality=90, dpi=(72, 72))
SEGMENTS = {
    "an ICC profile without its number": (0xE2, b"ICC_PROFILE\0"),
    "an ICC profile of a number too many": (0xE2, b"ICC_PROFILE\0\x05\x01" + bytes(9)),
    "an ICC profile of ones": (0xE2, b"ICC_PROFILE\0\x01\x01" + b"\xff" * 300),
    "a list of pictures that is cut": (0xE2, b"MPF\0II*\0"),
    "Photoshop's resources, cut": (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\xff\xff"),
    "a JFIF segment that is cut": (0xE0, b"JFIF\0"),
    "an Adobe segment that is cut": (0xEE, b"Adobe\0"),
    "XMP that is no text": (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"\xff" * 99),
    "an empty comment": (0xFE, b""),
    "bytes like a scan": (0xEF, b"\xff\xda\0\x08\xff\xd9"),
}


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(open_jpeg(data).image.convert("RGB"))


@pytest.mark.parametrize("whole", [PLAIN, DENSE], ids=["plain", "with a density"])
@pytest.mark.parametrize("rubbish", RUBBISH)
def test_exif_of_rubbish_leaves_the_pixels_and_is_kept_apart(whole, rubbish):
    stored = open_jpeg(with_segment(whole, 0xE1, RUBBISH[rubbish]))
    assert (np.asarray(stored.image) == _pixels(PLAIN)).all()
    assert stored.beside.exif == ((RUBBISH[rubbish],) if RUBBISH[rubbish] else ())


@pytest.mark.parametrize("segment", SEGMENTS)
def test_any_other_segment_leaves_the_pixels(segment):
    assert (_pixels(with_segment(DENSE, *SEGMENTS[segment])) == _pixels(PLAIN)).all()


@pytest.mark.parametrize("junk", [b"\0" * 5, b"\xff\xff\xff", b"abc", b"\xff\0", b"\xff\x01"])
def test_bytes_between_two_segments_are_passed_over(junk):
    assert (_pixels(PLAIN[:2] + junk + PLAIN[2:]) == _pixels(PLAIN)).all()


@pytest.mark.parametrize("length", [0, 1])
def test_a_segment_shorter_than_its_own_length_is_empty(length):
    spoilt = with_segment(PLAIN, 0xE5, b"", length=length)
    assert (_pixels(spoilt) == _pixels(PLAIN)).all()


def test_a_segment_longer_than_the_file_leaves_no_pixels():
    with pytest.raises((OSError, SyntaxError)):
        open_jpeg(with_segment(PLAIN, 0xE1, b"Exif\0\0", length=65_535)).image.load()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_colours_are_those_that_pillow_reads_from_the_whole_file(tmp_path, mode, options):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(picture().convert(mode), "JPEG", **options))
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGB"))
    assert (_pixels(path.read_bytes()) == expected).all()


@pytest.mark.parametrize("transform", [0, 1])
def test_an_adobe_segment_still_says_how_colours_are_to_be_read(tmp_path, transform):
    adobe = b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform)
    bare = bytearray(PLAIN[:2] + PLAIN[20:])  # without JFIF
    path = tmp_path / "a.jpg"
    path.write_bytes(with_segment(bytes(bare), 0xEE, adobe))
    with Image.open(path) as image:
        assert (_pixels(path.read_bytes()) == np.asarray(image)).all()
    assert (_pixels(path.read_bytes()) == _pixels(PLAIN)).all() == bool(transform)


def test_of_several_pictures_the_first_is_opened():
    blue = Image.new("RGB", picture().size, (0, 0, 255))
    several = encoded(picture(), "MPO", save_all=True, append_images=[blue], quality=90)
    assert (_pixels(several) == _pixels(PLAIN)).all()


def test_exif_in_two_segments_is_one_block_and_the_second_may_stand_alone():
    first, second = block([short(0x0112, 6)]), block([], [text(0x9003, "2026:05:14 10:20:30")])
    stored = open_jpeg(with_segment(with_segment(PLAIN, 0xE1, second), 0xE1, first))
    assert stored.beside.exif == (first + second[6:], second)


def test_no_more_blocks_are_looked_at_than_a_camera_may_write():
    data = PLAIN
    for _ in range(40):
        data = with_segment(data, 0xE1, RUBBISH["words"])
    assert len(open_jpeg(data).beside.exif) == 5


def test_what_is_cut_away_before_the_pixels_end_is_refused():
    for cut in range(3, len(PLAIN) - 40, 7):
        with pytest.raises((OSError, SyntaxError)):
            _pixels(PLAIN[:cut])


XMP = b"http://ns.adobe.com/xap/1.0/\0<x/>"


@pytest.mark.parametrize("segment", [*SEGMENTS, "XMP", "EXIF"])
@pytest.mark.parametrize("filler", [0, 5])
def test_a_file_says_what_its_bytes_say_however_far_behind(segment, filler):
    """Five segments of 64 kB fill what is read of a file at first."""
    own = {"XMP": (0xE1, XMP), "EXIF": (0xE1, RUBBISH["words"])}
    data = with_segment(PLAIN, *{**SEGMENTS, **own}[segment])
    for _ in range(filler):
        data = with_segment(data, 0xE2, bytes(65_000))
    found = beside_jpeg(BytesIO(data))
    assert found == open_jpeg(data).beside
    assert found.openable
    if segment in own:
        assert (found.xmp, found.exif) == (
            ((b"<x/>",), ()) if segment == "XMP" else ((), (RUBBISH["words"],))
        )


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", PLAIN[:20], b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xda" * 9]
)
def test_what_holds_no_picture_cannot_be_opened(data):
    assert not beside_jpeg(BytesIO(data)).openable


def test_of_a_large_file_the_beginning_alone_is_read():
    file = BytesIO(PLAIN + bytes(2**22))
    assert beside_jpeg(file).openable
    assert file.tell() == 2**18
