"""What the head of a photograph's file says, of sound files and of hostile ones."""

import struct
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from exif_blocks import FRACTION, LONG, RUBBISH, TAKEN, TEXT, block, short, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photo_files import packet, photo, pixels
from PIL import Image, ImageFile
from spoilt_pictures import encoded, picture, png_chunk, with_chunk, with_segment

from photos.folder.formats.detection import SUFFIXES
from photos.owned.metadata.facts import Facts, read_facts
from photos.owned.metadata.ratings import RatingSource, of_xmp
from photos.owned.metadata.xmp import read_xmp

NOON = datetime(2024, 1, 31, 12)
OFFSET, STARS, PERCENT = 0x9011, 0x4746, 0x4749
# Tags of which each alone makes Pillow's reader give up all tags beside it, or some.
BAD_TAGS = {
    "a text beyond the end": (0x010F, TEXT, 2**32 - 1, b"\xff\xff\xff\xff"),
    "no type": (0x0110, 77, 1, b"abcd"),
    "no values": (0x0131, TEXT, 0, b""),
    "a number beyond the end": (0x0132, LONG, 9, b""),
    "a ratio by nothing": (0x011A, 5, 1, bytes(8)),
    "a double that is cut": (0x011B, 12, 2**28, struct.pack("<L", 2**31)),
}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_time_ratings_and_packet_are_read_of_every_format(tmp_path, suffix):
    path = photo(
        tmp_path / f"a.{suffix}",
        taken="2024:01:31 12:00:00",
        offset="+02:00",
        fraction="25",
        exif={0x4746: 4, 0x4749: 75},
        xmp=packet(xmp_Rating=5),
    )
    found = read_facts(path)
    zone = timezone(timedelta(hours=2))
    assert found.taken == NOON.replace(microsecond=250_000, tzinfo=zone)
    assert found.taken.utcoffset() == timedelta(hours=2)
    assert (found.stars, found.percent) == (4, 75)
    (own,) = found.xmp
    assert b'xmp:Rating="5"' in own
    assert found.format == {"jpg": "JPEG"}.get(suffix, suffix.upper())


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"taken": "2024:01:31 12:00:00"}, NOON),
        ({"taken": "2024:01:31 12:00:00\0"}, NOON),
        ({"taken": "2024:01:31 12:00:00", "fraction": "1e9"}, NOON),
        (
            {"taken": "2024:01:31 12:00:00", "fraction": "5" * 50},
            NOON.replace(microsecond=555555),
        ),
        ({"taken": "2024:01:31 12:00:00", "offset": "Z"}, NOON.replace(tzinfo=UTC)),
        ({"taken": "2024:01:31 12:00:00", "offset": "+15:00"}, NOON),
        ({"taken": "2024:01:31 12:00:00", "offset": "   :  "}, NOON),
        ({"taken": "2024:01:31 12:00:00", "offset": "+02:00x"}, NOON),
        ({"taken": "0000:00:00 00:00:00"}, None),
        ({"taken": "    :  :     :  :  "}, None),
        ({"offset": "+02:00"}, None),
        ({}, None),
    ],
)
def test_a_time_is_as_exact_as_its_tags(tmp_path, named, expected):
    found = read_facts(photo(tmp_path / "a.jpg", **named)).taken
    assert found == expected
    assert (found is None) or (found.tzinfo is None) == (expected.tzinfo is None)


def test_a_file_that_cannot_be_read_says_nothing(tmp_path):
    for name, content in {
        "a.jpg": b"",
        "b.jpg": b"text",
        "c.png": b"\x89PNG\r\n\x1a\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert read_facts(tmp_path / name) == Facts()
    (tmp_path / "link.jpg").symlink_to(photo(tmp_path / "real.jpg"))
    assert read_facts(tmp_path / "link.jpg") == Facts()
    assert read_facts(tmp_path / "gone.jpg") == Facts()


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"garbage"]
)
def test_broken_exif_costs_the_format_nothing(tmp_path, exif):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    assert read_facts(tmp_path / "a.jpg") == Facts(format="JPEG")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(place=st.integers(0, 400), byte=st.integers(0, 255))
def test_no_changed_byte_raises(tmp_path, place, byte):
    path = photo(tmp_path / "a.jpg", taken="2024:01:31 12:00:00", exif={0x4746: 5})
    content = bytearray(path.read_bytes())
    content[place] = byte
    path.write_bytes(content)
    read_facts(path)


@pytest.mark.parametrize("bad", BAD_TAGS)
@pytest.mark.parametrize("first", [True, False])
def test_no_bad_tag_costs_the_time_or_the_rating_beside_it(tmp_path, bad, first):
    def beside(*sound):
        return [BAD_TAGS[bad], *sound] if first else [*sound, BAD_TAGS[bad]]

    time = [text(TAKEN, "2024:01:31 12:00:00"), text(FRACTION, "25"), text(OFFSET, "+02:00")]
    exif = block(beside(short(STARS, 4), short(PERCENT, 75)), beside(*time))
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(picture(), "JPEG", exif=exif))
    found = read_facts(path)
    assert found.taken == datetime.fromisoformat("2024-01-31T12:00:00.25+02:00")
    assert (found.stars, found.percent) == (4, 75)


@pytest.mark.parametrize("rubbish", RUBBISH)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_rubbish_for_exif_costs_itself_alone(tmp_path, kind, rubbish):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(picture(), kind, exif=RUBBISH[rubbish], xmp=b"<x/>"))
    if kind == "PNG":
        packed = png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>")
        path.write_bytes(with_chunk(encoded(picture(), kind, exif=RUBBISH[rubbish]), packed))
    assert read_facts(path) == Facts(format=kind, xmp=(b"<x/>",))


@pytest.mark.parametrize(
    ("tag", "stars"),
    [
        (short(STARS, 3), 3),
        (text(STARS, "3"), 3),
        (text(STARS, "three"), "three"),
        ((STARS, 1, 1, b"\3"), 3),
        ((STARS, 9, 1, struct.pack("<l", -1)), -1),
        ((STARS, 5, 1, struct.pack("<LL", 6, 2)), 3),
        ((STARS, 77, 1, b"\3"), None),
    ],
)
def test_stars_may_be_of_any_type_that_holds_a_number(tmp_path, tag, stars):
    (tmp_path / "a.jpg").write_bytes(encoded(picture(), "JPEG", exif=block([tag])))
    assert read_facts(tmp_path / "a.jpg").stars == stars


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_nothing_is_decoded(tmp_path, suffix, monkeypatch):
    path = photo(tmp_path / f"a.{suffix}", exif={STARS: 5}, xmp=packet(xmp_Rating=5))
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    found = read_facts(path)
    assert (found.stars, len(found.xmp)) == (5, 1)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_the_format_is_that_of_the_bytes(tmp_path, suffix):
    path = photo(tmp_path / f"a.{suffix}").rename(tmp_path / "b.heic")
    assert read_facts(path).format == {"jpg": "JPEG"}.get(suffix, suffix.upper())


@pytest.mark.parametrize("name", ["a.HEIC", "a.avif"])
def test_what_a_phone_writes_is_read_where_its_decoder_is(tmp_path, name):
    heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif.update({STARS: 5})
    exif.get_ifd(0x8769).update({TAKEN: "2024:01:31 12:00:00", OFFSET: "+02:00"})
    image = Image.fromarray(np.kron(pixels(0), np.ones((4, 4, 1), np.uint8)))
    own = {"exif": exif.tobytes(), "xmp": packet(xmp_Rating=5).encode()}
    try:
        if name.endswith("avif"):
            image.save(tmp_path / name, **own)
        else:
            heif.from_pillow(image).save(tmp_path / name, **own)
    except (RuntimeError, KeyError, OSError):
        pytest.skip("this build writes none")
    found = read_facts(tmp_path / name)
    assert found.format == ("AVIF" if name.endswith("avif") else "HEIF")
    assert (found.stars, str(found.taken)) == (5, "2024-01-31 12:00:00+02:00")
    assert read_xmp(found.xmp[0]).stars == "5"


def test_files_are_called_as_phones_and_cameras_call_them():
    assert set(SUFFIXES) == {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif"}


def test_exif_and_xmp_behind_the_pixels_of_a_png_are_found_as_early_ones_are(tmp_path):
    early = photo(tmp_path / "b.jpg", taken="2024:01:31 12:00:00", exif={STARS: 3})
    with Image.open(early) as image:
        exif = image.info["exif"].removeprefix(b"Exif\0\0")
    itxt = b"XML:com.adobe.xmp\0\0\0\0\0" + packet(xmp_Rating=5).encode()
    late = [png_chunk(b"tIME", b"1234567"), png_chunk(b"eXIf", exif), png_chunk(b"iTXt", itxt)]
    path = photo(tmp_path / "a.png")
    path.write_bytes(with_chunk(path.read_bytes(), b"".join(late), before=b"IEND"))
    found = read_facts(path)
    assert found.taken == read_facts(early).taken is not None
    assert found.stars == 3
    said = of_xmp(read_xmp(found.xmp[0]), source=RatingSource.EMBEDDED, favourite_from=4)
    assert said.feedback.name == "FAVOURITE"


def test_a_packet_after_a_bad_one_is_there_too(tmp_path):
    name = b"http://ns.adobe.com/xap/1.0/\0"
    whole = with_segment(encoded(picture(), "JPEG"), 0xE1, name + b"<sound/>")
    (tmp_path / "a.jpg").write_bytes(with_segment(whole, 0xE1, name + b"<bad"))
    assert read_facts(tmp_path / "a.jpg").xmp == (b"<bad", b"<sound/>")
