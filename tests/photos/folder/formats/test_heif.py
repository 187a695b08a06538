"""HEIC: turned once, with its time, and one sentence where it cannot be decoded."""

import io
import sys
from datetime import datetime

import numpy as np
import pillow_heif
import pytest
from exif_blocks import ORIENTATION, RUBBISH, TAKEN, block, short, text
from PIL import Image
from spoilt_pictures import picture

from photos.folder.decoding import decode
from photos.folder.photograph import Photograph
from photos.folder.skips import Skip

TURNS = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270,
         8: Image.Transpose.ROTATE_90, 2: Image.Transpose.FLIP_LEFT_RIGHT}  # fmt: skip


def heic(image: Image.Image, **info: object) -> bytes:
    stream = io.BytesIO()
    file = pillow_heif.from_pillow(image)
    file.info.update(info)
    file.save(stream, quality=90)
    return stream.getvalue()


def _decoded(path, data: bytes, *, side: int = 16) -> Photograph:
    path.write_bytes(data)
    photo = decode(path, side=side)
    assert isinstance(photo, Photograph)
    return photo


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.jpg"])
def test_a_photo_is_turned_once_and_has_its_time(tmp_path, turn, name):
    image = picture(96, 64)
    exif = block([short(ORIENTATION, turn)], [text(TAKEN, "2026:05:14 10:20:30")])
    photo = _decoded(tmp_path / name, heic(image, exif=exif))
    upright = image if TURNS[turn] is None else image.transpose(TURNS[turn])
    path = tmp_path / "b.png"
    upright.save(path)
    expected = decode(path, side=16)
    assert photo.taken == datetime(2026, 5, 14, 10, 20, 30)
    assert np.abs(photo.pixels.astype(int) - expected.pixels).mean() < 6


@pytest.mark.parametrize("rubbish", [name for name in RUBBISH if name != "empty"])
def test_exif_of_rubbish_costs_the_time_alone(tmp_path, rubbish):
    photo = _decoded(tmp_path / "a.heic", heic(picture(), exif=RUBBISH[rubbish]))
    sound = _decoded(tmp_path / "b.heic", heic(picture()))
    assert photo.taken is None
    assert (photo.pixels == sound.pixels).all()


def test_without_its_decoder_it_is_skipped_in_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "a.heic"
    path.write_bytes(heic(picture()))
    monkeypatch.setattr(pillow_heif, "libheif_info", lambda: {"decoders": {}})
    assert decode(path, side=8) == Skip.NO_HEIC
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert decode(path, side=8) == Skip.NO_HEIC
    assert "pip install pillow-heif" in Skip.NO_HEIC


def test_a_file_that_is_cut_is_damaged(tmp_path):
    whole = heic(picture())
    path = tmp_path / "a.heic"
    for cut in range(64, len(whole) - 30, 40):
        path.write_bytes(whole[:cut])
        assert decode(path, side=8) == Skip.DAMAGED, cut


def test_one_of_too_many_or_too_few_pixels_is_skipped(tmp_path, monkeypatch):
    path = tmp_path / "a.heic"
    path.write_bytes(heic(picture(16, 4)))
    assert decode(path, side=8) == Skip.TOO_SMALL
    monkeypatch.setattr("photos.folder.decoding.LARGEST_PIXELS", 60)
    assert decode(path, side=8) == Skip.TOO_LARGE
