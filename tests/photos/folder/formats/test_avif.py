"""AVIF: turned once, with its time, and one sentence where it cannot be decoded."""

from datetime import datetime

import numpy as np
import pytest
from exif_blocks import ORIENTATION, TAKEN, block, short, text
from PIL import Image, features
from spoilt_pictures import encoded, picture

from photos.folder.decoding import decode
from photos.folder.photograph import Photograph
from photos.folder.skips import Skip

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")

SOUND = block([short(ORIENTATION, 6)], [text(TAKEN, "2026:05:14 10:20:30")])


def _avif(**options: object) -> bytes:
    return encoded(picture(96, 64), "AVIF", quality=90, **options)


def _decoded(path, data: bytes) -> Photograph:
    path.write_bytes(data)
    photo = decode(path, side=16)
    assert isinstance(photo, Photograph)
    return photo


def test_a_photo_is_turned_once_and_has_its_time(tmp_path):
    photo = _decoded(tmp_path / "a.avif", _avif(exif=SOUND))
    path = tmp_path / "b.png"
    picture(96, 64).transpose(Image.Transpose.ROTATE_270).save(path)
    assert photo.taken == datetime(2026, 5, 14, 10, 20, 30)
    assert np.abs(photo.pixels.astype(int) - decode(path, side=16).pixels).mean() < 6


@pytest.mark.parametrize("rubbish", [b"MM\0\x07", b"\0\0\0\0", b"\xff" * 4])
def test_exif_of_rubbish_costs_the_time_alone_and_not_the_turn(tmp_path, rubbish):
    whole = _avif(exif=SOUND)
    header = whole.rindex(SOUND[6:10])
    photo = _decoded(tmp_path / "a.avif", whole[:header] + rubbish + whole[header + 4 :])
    assert photo.taken is None
    assert (photo.pixels == _decoded(tmp_path / "b.avif", whole).pixels).all()


def test_without_its_decoder_it_is_skipped_in_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "a.avif"
    path.write_bytes(_avif())
    monkeypatch.setattr(features, "check", lambda name: name != "avif")
    assert decode(path, side=8) == Skip.NO_AVIF


def test_a_file_that_is_cut_is_damaged(tmp_path):
    whole, path = _avif(), tmp_path / "a.avif"
    for cut in range(64, len(whole) - 30, 60):
        path.write_bytes(whole[:cut])
        assert decode(path, side=8) == Skip.DAMAGED, cut
