"""What is known of a device's photos before a pixel is kept."""

import os
import shutil
import sys

import pytest
from exif_blocks import TAKEN, block, text
from photo_files import packet, photo, takeout
from PIL import Image
from raw_reader import made_up_reader

from photos.folder.skips import Skip
from photos.library import Feedback
from photos.owned import index as index_module
from photos.owned.companions import Remark
from photos.owned.index import index_device
from photos.owned.metadata.ratings import RatingSource
from photos.owned.skips import Left


@pytest.fixture
def indexed(settings, tmp_path):
    """Indexes the folder of a test."""
    return lambda **changes: index_device(tmp_path, settings(tmp_path, **changes))


def test_photos_are_in_the_order_of_time_then_of_name_and_know_their_file(indexed, tmp_path):
    later = photo(tmp_path / "a.jpg", 1, taken="2024:01:31 12:00:01")
    photo(tmp_path / "c" / "x.png", 2, taken="2024:01:31 12:00:00")
    photo(tmp_path / "b" / "x.webp", 3, taken="2024:01:31 12:00:00")
    found = indexed().photos
    assert [(one.name, one.format) for one in found] == [
        ("b/x.webp", "WEBP"),
        ("c/x.png", "PNG"),
        ("a.jpg", "JPEG"),
    ]
    assert found[2].size == later.stat().st_size


def test_no_photo_is_decoded_but_one_whose_head_cannot_be_read(indexed, tmp_path, monkeypatch):
    photo(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_text("no photo")
    decoded = []

    def decode(path, *, side):
        decoded.append(path.name)
        return Skip.NOT_A_PHOTO

    monkeypatch.setattr(index_module, "decode", decode)
    found = indexed()
    assert decoded == ["b.jpg"]
    assert found.skipped == {Skip.NOT_A_PHOTO: 1}
    assert found.remarks == (Remark(name="b.jpg", reason=Skip.NOT_A_PHOTO),)


def test_of_copies_one_stays_with_the_best_that_is_said_of_any(indexed, tmp_path):
    photo(tmp_path / "z" / "a.jpg", 1, taken="2024:01:31 12:00:00")
    for folder in ("y", "x"):
        shutil.copytree(tmp_path / "z", tmp_path / folder)
    takeout(tmp_path / "y" / "a.jpg.json", trashed=True)
    (tmp_path / "z" / "a.xmp").write_text(packet(xmp_Rating=5))
    photo(tmp_path / "other.jpg", 1, like=1, taken="2024:01:31 12:00:00")
    found = indexed()
    assert [one.name for one in found.photos] == ["other.jpg", "x/a.jpg"]
    rating = found.photos[1].rating
    assert rating is not None
    assert (rating.feedback, rating.source) == (Feedback.FAVOURITE, RatingSource.SIDECAR)
    assert (found.rated, found.skipped) == (1, {Left.COPY: 2})


def test_the_same_bytes_of_other_times_are_no_copies(indexed, tmp_path):
    for place, name in enumerate(("a.jpg", "b.jpg")):
        os.utime(photo(tmp_path / name), (place, place))
    assert len(indexed().photos) == 2


def test_ratings_of_a_broken_photo_are_not_asked_for_twice(indexed, tmp_path):
    (tmp_path / "a.jpg").write_text("no photo")
    (tmp_path / "a.xmp").write_text(packet(xmp_Rating=9))
    found = indexed()
    assert found.photos == ()
    assert found.skipped == {Skip.NOT_A_PHOTO: 1, Left.BAD_RATING: 1, Left.NO_PHOTO: 1}


def test_a_picture_of_another_format_in_a_photos_name_is_none(indexed, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", "GIF")
    assert indexed().skipped == {Skip.NOT_A_PHOTO: 1, Left.NO_PHOTO: 1}


def test_an_empty_folder_is_an_empty_library(indexed):
    assert (indexed().photos, indexed().skipped) == ((), {Left.NO_PHOTO: 1})


RAW = block([], [text(TAKEN, "2024:01:31 12:00:00")])[6:]


@pytest.mark.parametrize("sidecar", ["IMG_1.xmp", "IMG_1.CR2.xmp", "IMG_1.JPG.xmp"])
def test_raw_and_the_photo_of_its_shot_are_one_with_the_sidecar_of_either(
    indexed, tmp_path, sidecar
):
    photo(tmp_path / "IMG_1.JPG", taken="2024:01:31 12:00:00")
    (tmp_path / "IMG_1.CR2").write_bytes(RAW)
    (tmp_path / sidecar).write_text(packet(xmp_Rating=5))
    found = indexed()
    assert [one.name for one in found.photos] == ["IMG_1.JPG"]
    assert found.photos[0].rating.feedback is Feedback.FAVOURITE
    assert found.skipped == {Skip.RAW_TWIN: 1}


def test_of_two_sidecars_of_a_shot_the_photos_own_counts(indexed, tmp_path):
    photo(tmp_path / "a.JPG", taken="2024:01:31 12:00:00")
    (tmp_path / "a.CR2").write_bytes(RAW)
    (tmp_path / "a.JPG.xmp").write_text(packet(xmp_Rating=-1))
    (tmp_path / "a.CR2.xmp").write_text(packet(xmp_Rating=5))
    assert indexed().photos[0].rating.feedback is Feedback.DELETE


def test_raw_alone_is_a_photo_where_its_reader_is(indexed, tmp_path, monkeypatch):
    photo(tmp_path / "a.JPG", taken="2024:01:31 12:00:01")
    (tmp_path / "a.CR2").write_bytes(RAW)
    monkeypatch.setitem(sys.modules, "rawpy", None)
    assert indexed().skipped == {Skip.NO_RAW: 1}
    made_up_reader(monkeypatch)(photo(tmp_path / "a.JPG").read_bytes())
    photo(tmp_path / "a.JPG", taken="2024:01:31 12:00:01")
    found = indexed()
    assert [(one.name, one.format) for one in found.photos] == [
        ("a.CR2", "camera raw"),
        ("a.JPG", "JPEG"),
    ]
    assert found.skipped == {}


def test_raw_is_kept_where_the_photo_beside_it_holds_no_picture(indexed, tmp_path, monkeypatch):
    made_up_reader(monkeypatch)("LibRawNoThumbnailError")
    (tmp_path / "a.JPG").write_text("no photo")
    (tmp_path / "a.CR2").write_bytes(RAW)
    found = indexed()
    assert [one.name for one in found.photos] == ["a.CR2"]
    assert found.skipped == {Skip.NOT_A_PHOTO: 1}
