"""What the head of a photograph's file says, of sound files and of hostile ones."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photo_files import packet, photo
from PIL import Image

from photos.owned.metadata.facts import Facts, read_facts

NOON = datetime(2024, 1, 31, 12)


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
    assert b'xmp:Rating="5"' in found.xmp
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
