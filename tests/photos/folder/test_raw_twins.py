"""Camera raw and the photo that was developed from it are one shot."""

from pathlib import Path

import pytest
from exif_blocks import FRACTION, TAKEN, block, text
from photo_files import photo

from photos.folder.formats.detection import RAW_SUFFIXES
from photos.folder.raw_twins import raw_twins

NOON, LATER = "2024:01:31 12:00:00", "2024:01:31 12:00:01"


def raw(path: Path, taken: str = "", fraction: str = "") -> Path:
    """A camera's raw file as far as it is read here: a TIFF that says when it was taken."""
    times = {TAKEN: taken, FRACTION: fraction}
    tags = [text(tag, value) for tag, value in times.items() if value]
    path.write_bytes(block([], tags)[6:])
    return path


@pytest.mark.parametrize("suffix", RAW_SUFFIXES)
@pytest.mark.parametrize("developed", ["IMG_1.JPG", "img_1.webp", "IMG_1.png"])
def test_files_called_alike_of_one_second_are_one_shot_whatever_their_case(
    tmp_path, suffix, developed
):
    photo(tmp_path / developed, taken=NOON, fraction="25")
    name = raw(tmp_path / f"IMG_1{suffix}", NOON).name
    assert raw_twins(tmp_path, [developed, name]) == {name: developed}


def test_accents_of_either_form_are_called_alike(tmp_path):
    photo(tmp_path / "Gru\u0308n.jpg", taken=NOON)
    raw(tmp_path / "Grün.CR2", NOON)
    assert raw_twins(tmp_path, ["Gru\u0308n.jpg", "Grün.CR2"]) == {"Grün.CR2": "Gru\u0308n.jpg"}


@pytest.mark.parametrize(("developed", "own"), [(NOON, LATER), (NOON, ""), ("", NOON)])
def test_of_two_seconds_they_are_two_shots(tmp_path, developed, own):
    """A camera's numbers begin anew after 9999."""
    photo(tmp_path / "a.jpg", taken=developed)
    raw(tmp_path / "a.nef", own)
    assert raw_twins(tmp_path, ["a.jpg", "a.nef"]) == {}


def test_without_any_time_the_name_alone_says_it(tmp_path):
    photo(tmp_path / "a.jpg")
    (tmp_path / "a.nef").write_bytes(b"")
    assert raw_twins(tmp_path, ["a.jpg", "a.nef"]) == {"a.nef": "a.jpg"}


def test_a_photo_without_a_picture_takes_no_raw_files_place(tmp_path):
    (tmp_path / "a.jpg").write_text("no photo")
    raw(tmp_path / "a.nef")
    assert raw_twins(tmp_path, ["a.jpg", "a.nef", "gone.jpg", "gone.nef"]) == {}


def test_of_several_photos_of_a_shot_the_first_by_name_is_its_twin_and_each_raw_has_one(
    tmp_path,
):
    for name in ("a.png", "a.jpg"):
        photo(tmp_path / name, taken=NOON)
    for name in ("a.nef", "a.dng"):
        raw(tmp_path / name, NOON)
    names = ["a.png", "a.nef", "a.jpg", "a.dng"]
    assert raw_twins(tmp_path, names) == {"a.nef": "a.jpg", "a.dng": "a.jpg"}


def test_no_file_is_opened_but_those_called_alike(tmp_path, monkeypatch):
    monkeypatch.setattr("photos.folder.raw_twins.read_side_data", None)
    assert raw_twins(tmp_path, ["a.jpg", "a.png", "b.nef", "b.dng", "c.jpg"]) == {}
