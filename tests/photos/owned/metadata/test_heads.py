"""The blocks beside the pixels are found in every format, and no pixel is decoded."""

import numpy as np
import pytest
from photo_files import packet, photo, pixels
from PIL import Image, ImageFile

from photos.folder.formats.detection import SUFFIXES
from photos.owned.metadata.facts import read_facts
from photos.owned.metadata.heads import read_head


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_both_blocks_are_found_and_nothing_is_decoded(tmp_path, suffix, monkeypatch):
    path = photo(tmp_path / f"a.{suffix}", exif={0x4746: 5}, xmp=packet(xmp_Rating=5))
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    with path.open("rb") as file:
        head = read_head(file)
    assert b"xmp:Rating" in head.xmp
    assert head.exif


def test_the_format_is_that_of_the_bytes(tmp_path):
    for suffix in ("jpg", "png", "webp"):
        path = photo(tmp_path / f"a.{suffix}").rename(tmp_path / "b.heic")
        with path.open("rb") as file:
            assert read_head(file).format == {"jpg": "JPEG"}.get(suffix, suffix.upper())


def test_what_a_phone_writes_is_read_where_its_decoder_is(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif.update({0x4746: 5})
    exif.get_ifd(0x8769).update({0x9003: "2024:01:31 12:00:00", 0x9011: "+02:00"})
    picture = Image.fromarray(np.kron(pixels(0), np.ones((4, 4, 1), np.uint8)))
    try:
        heif.from_pillow(picture).save(tmp_path / "IMG_1.HEIC", exif=exif.tobytes())
    except (RuntimeError, KeyError):
        pytest.skip("this build of pillow-heif writes no HEIC")
    found = read_facts(tmp_path / "IMG_1.HEIC")
    assert (found.format, found.stars, str(found.taken)) == (
        "HEIF",
        5,
        "2024-01-31 12:00:00+02:00",
    )


def test_files_are_called_as_phones_and_cameras_call_them():
    assert set(SUFFIXES) == {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif"}
