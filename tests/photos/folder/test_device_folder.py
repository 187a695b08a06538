"""A device's folder, before its moments become examples."""

from pathlib import Path

import pytest
from exif_blocks import TAKEN, block, text
from PIL import Image
from raw_reader import made_up_reader
from spoilt_pictures import encoded

from photos.folder.device_folder import read_device, read_moments
from photos.folder.feedback_file import NO_ROW, FeedbackRow
from photos.folder.skips import Skip
from photos.library import Feedback

LATER, LATEST = "2026:01:01 00:00:01", "2026:01:01 00:00:02"


def _photo(path: Path, taken: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = taken
    Image.new("RGB", (20, 20)).save(path, exif=exif)
    return path


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A moment of three photos, taken in another order than their names', and one of one."""
    _photo(tmp_path / "walk" / "a.jpg")
    _photo(tmp_path / "walk" / "b.jpg", LATEST)
    _photo(tmp_path / "walk" / "c.jpg", LATER)
    _photo(tmp_path / "home" / "a.jpg")
    (tmp_path / "feedback.csv").write_text(
        "photo,burst,feedback\nwalk/b.jpg,x,favourite\nhome/a.jpg,,delete\n"
    )
    return tmp_path


def _names(moment) -> list[str]:
    return [photo.name for photo in moment.photographs]


def test_moments_are_by_name_photos_by_capture_and_rows_beside_their_photos(device):
    home, walk = read_device(device, side=8).moments
    assert (home.name, walk.name) == ("home", "walk")
    assert _names(walk) == ["c.jpg", "b.jpg", "a.jpg"]
    assert walk.rows == (NO_ROW, FeedbackRow(burst="x", feedback=Feedback.FAVOURITE), NO_ROW)
    assert home.rows == (FeedbackRow(burst="", feedback=Feedback.DELETE),)


def test_the_first_photos_by_capture_are_kept_and_the_others_counted(device):
    read = read_device(device, side=8, most=2)
    assert [_names(moment) for moment in read.moments] == [["a.jpg"], ["c.jpg", "b.jpg"]]
    assert read.skipped == {Skip.MANY_PHOTOS: 1}


def test_a_photo_beside_the_moments_and_a_folder_inside_one_are_misplaced(device):
    _photo(device / "loose.jpg")
    _photo(device / "walk" / "deeper" / "a.jpg")
    read = read_device(device, side=8)
    assert read.skipped == {Skip.MISPLACED: 2}
    assert [len(moment.photographs) for moment in read.moments] == [1, 3]


def test_a_folder_without_a_photo_is_no_moment_and_one_of_damaged_photos_is_empty(device):
    (device / "bare").mkdir()
    (device / "broken").mkdir()
    (device / "broken" / "a.jpg").write_bytes(b"no photo")
    read = read_device(device, side=8)
    assert [moment.name for moment in read.moments] == ["broken", "home", "walk"]
    assert read.moments[0].photographs == ()
    assert read.skipped == {Skip.NOT_A_PHOTO: 1}


def test_listed_photos_of_the_folder_itself_are_a_moment_without_a_name(tmp_path):
    path = _photo(tmp_path / "a.jpg")
    (tmp_path / "feedback.csv").write_text("photo,feedback\na.jpg,favourite\n")
    (moment,) = read_moments(tmp_path, {"": [path]}, side=8).moments
    assert moment.name == ""
    assert moment.rows == (FeedbackRow(burst="", feedback=Feedback.FAVOURITE),)


def test_rows_of_photos_that_are_not_listed_are_counted(device):
    listed = {"home": [device / "home" / "a.jpg"]}
    assert read_moments(device, listed, side=8).skipped == {Skip.ROW_WITHOUT_PHOTO: 1}


def test_of_two_tables_with_a_row_for_a_photo_the_nearer_counts(device):
    (device / "walk" / "feedback.csv").write_text(
        "photo,feedback\nb.jpg,delete\na.jpg,favourite\nz.jpg,keep\n"
    )
    read = read_device(device, side=8)
    walk = read.moments[1]
    assert dict(zip(_names(walk), (row.feedback.name for row in walk.rows), strict=True)) == {
        "c.jpg": "KEEP",
        "b.jpg": "DELETE",
        "a.jpg": "FAVOURITE",
    }
    assert read.skipped == {Skip.SECOND_ROW: 1, Skip.ROW_WITHOUT_PHOTO: 1}


def test_a_table_that_cannot_be_read_costs_no_other_table(device):
    (device / "home" / "feedback.csv").write_bytes(b"\0")
    home, walk = read_device(device, side=8).moments
    assert home.rows[0].feedback == Feedback.DELETE
    assert walk.rows[1].feedback == Feedback.FAVOURITE


RAW = block([], [text(TAKEN, "2026:01:01 00:00:02")])[6:]


@pytest.mark.parametrize(
    ("table", "feedback"),
    [
        ("walk/b.jpg,,favourite\nwalk/B.NEF,,delete\n", Feedback.FAVOURITE),
        ("walk/B.NEF,,delete\n", Feedback.DELETE),
        ("", Feedback.KEEP),
    ],
)
def test_raw_beside_a_photo_of_its_shot_is_that_photo_with_the_row_of_either(
    device, table, feedback
):
    (device / "walk" / "B.NEF").write_bytes(RAW)
    (device / "feedback.csv").write_text(f"photo,burst,feedback\n{table}")
    read = read_device(device, side=8)
    assert read.skipped == {Skip.RAW_TWIN: 1}
    assert _names(read.moments[1]) == ["c.jpg", "b.jpg", "a.jpg"]
    assert read.moments[1].rows[1].feedback == feedback


def test_raw_of_another_shot_is_a_photo_of_its_own(device, monkeypatch):
    made_up_reader(monkeypatch)(encoded(Image.new("RGB", (20, 20)), "JPEG"))
    (device / "walk" / "c.nef").write_bytes(RAW)
    read = read_device(device, side=8)
    assert read.skipped == {}
    assert _names(read.moments[1]) == ["c.jpg", "b.jpg", "c.nef", "a.jpg"]
