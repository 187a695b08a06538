"""Photo Triage from a made copy: series, ranks, pairs and what may be wrong with them."""

import codecs

import made_sets
import numpy as np
import pytest

from photos.library import Feedback

CUT_OFF = "table row that is cut off, has too few cells or cannot be read"


@pytest.fixture
def root(tmp_path):
    return made_sets.photo_triage(tmp_path / "copy")


def shades(moment):
    return moment.photos[:, 8, 8, 0].tolist()


def add(root, *rows, name="train_pairlist.txt"):
    with (root / name).open("a") as file:
        file.write("\n".join(rows) + "\n")


def test_a_series_is_a_moment_and_chunks_of_series_are_devices(root, opened):
    source = opened("photo_triage", root, device_series=4)
    # Training series 1 2 4 5 7 8 10 11 by fours: (1 2) (4 5 7) (8 10 11); held out 3 6 9 12.
    assert (source.devices, source.held_out_devices) == (3, 1)
    assert [len(source.library(device).moments) for device in range(4)] == [2, 3, 3, 1]
    assert source.notes == ("a device is 4 series numbers in a row: photographers are unnamed",)


def test_the_best_rank_is_the_favourite_and_the_worst_is_deleted(root, opened):
    moment = opened("photo_triage", root).library(0).moments[0]
    assert shades(moment) == pytest.approx([200, 180, 160], abs=2)
    assert moment.feedback.tolist() == [Feedback.FAVOURITE, Feedback.KEEP, Feedback.DELETE]
    assert moment.expected_gain is None


def test_columns_five_and_six_are_ranks_not_photos(root, opened):
    # The first of two photos has rank 2: read as a winner's number, it would be the best.
    made_sets.write_photo(root / "train_val_imgs" / "000100-01.JPG", 50)
    made_sets.write_photo(root / "train_val_imgs" / "000100-02.JPG", 60)
    add(root, "100 1 2 0.25 2 1")
    source = opened("photo_triage", root, device_series=100)
    (moment,) = source.library(1).moments
    assert moment.feedback.tolist() == [Feedback.DELETE, Feedback.FAVOURITE]
    assert moment.judgement.values.tolist() == [[0, 1, 0.25]]


def test_the_judged_pairs_name_photos_by_their_places(root, opened):
    judgement = opened("photo_triage", root).library(0).moments[0].judgement
    assert judgement.metric == "pairwise accuracy"
    assert judgement.values.tolist() == [[0, 1, 0.75], [0, 2, 0.75], [1, 2, 0.75]]


def test_a_moment_depends_on_its_own_series_alone(root, opened):
    before = opened("photo_triage", root, device_series=4).library(0).moments
    for name in ("000004-01.JPG", "000001-03.JPG"):
        (root / "train_val_imgs" / name).write_bytes(b"no photo")
    add(root, "5 2 1 0.1 2 1", "2 1 3 x 1 3")
    after = opened("photo_triage", root, device_series=4).library(0)
    (kept,) = [one for one in after.moments if len(one.photos) == 3]
    (same,) = [one for one in before if one.number == kept.number]
    np.testing.assert_array_equal(kept.photos, same.photos)
    np.testing.assert_array_equal(kept.feedback, same.feedback)
    # The moment with a damaged photo keeps its number, its other photos and their feedback.
    (cut,) = [one for one in after.moments if len(one.photos) == 2]
    assert cut.number in {one.number for one in before}
    assert cut.feedback.tolist() == [Feedback.FAVOURITE, Feedback.KEEP]
    assert cut.judgement.values.tolist() == [[0, 1, 0.75]]
    assert after.skipped == {"not a JPEG, PNG, WebP, HEIC, AVIF or camera raw inside": 1}


def test_the_zipped_folder_around_the_lists_is_entered(tmp_path, opened):
    made_sets.photo_triage(tmp_path / "train_val")
    assert opened("photo_triage", tmp_path).devices == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1 1 2 0.75 1", CUT_OFF),
        ("1 1 2 0.75 1 2 9", CUT_OFF),
        (
            "\udcff 1 2 0.75 1 2",
            "table row that is cut off, has too few cells or cannot be read",
        ),
        ("1 one 2 0.75 1 2", "table row whose cell is no number"),
        ("../1 1 2 0.75 1 2", "table row whose cell is no number"),
        ("1 1 2 nan 1 2", "table row whose cell is no number"),
        ("1 ² 2 0.75 1 2", "table row whose cell is no number"),
        ("1 1 2 1.5 1 2", "table row whose number is outside its range"),
        ("1 1 2 0.75 0 2", "table row whose number is outside its range"),
        ("1 1 1 0.75 1 1", "table row for a photo or a pair that has one"),
        ("1 2 1 0.25 2 1", "table row for a photo or a pair that has one"),
        ("1 1 9 0.75 1 9", "table row for a photo that is not there"),
        ("999999 1 2 0.75 1 2", "table row for a photo that is not there"),
    ],
)
def test_a_row_that_cannot_be_used_is_counted_and_costs_no_other(root, opened, row, reason):
    sound = opened("photo_triage", root).library(0)
    path = root / "train_pairlist.txt"
    path.write_bytes(f"{row}\n".encode(errors="surrogateescape") + path.read_bytes())
    if reason.endswith("has one") and row != "1 1 1 0.75 1 1":
        path.write_bytes(path.read_bytes().partition(b"\n")[2] + f"{row}\n".encode())
    source = opened("photo_triage", root)
    assert source.skipped == {reason: 1}
    for one, other in zip(source.library(0).moments, sound.moments, strict=True):
        np.testing.assert_array_equal(one.photos, other.photos)
        np.testing.assert_array_equal(one.judgement.values, other.judgement.values)


def test_ranks_that_disagree_leave_the_later_row_out(root, opened):
    made_sets.write_photo(root / "train_val_imgs" / "000001-04.JPG", 50)
    add(root, "1 1 4 0.9 2 4", "1 2 4 0.9 2 4")
    source = opened("photo_triage", root)
    assert source.skipped == {"table row whose rank is not that of an earlier row": 1}
    (moment,) = [one for one in source.library(0).moments if len(one.photos) == 4]
    assert moment.feedback.tolist() == [2, 1, 1, 0]


def test_a_series_of_both_lists_trains_and_is_not_judged_on(root, opened):
    add(root, "1 1 2 0.75 1 2", name="val_pairlist.txt")
    source = opened("photo_triage", root)
    assert source.skipped == {"table row of a series that trains": 1}
    assert len(source.library(1).moments) == 4


def test_a_photo_without_a_row_is_left_out_and_counted(root, opened):
    made_sets.write_photo(root / "train_val_imgs" / "000001-04.JPG", 50)
    source = opened("photo_triage", root)
    assert source.skipped == {"photo without a row": 1}
    assert {len(one.photos) for one in source.library(0).moments} == {3}


@pytest.mark.parametrize(
    "written",
    [
        lambda text: codecs.BOM_UTF8 + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"#SERIES_ID #PHOTO1_IND #PHOTO2_IND\n\n" + text,
        lambda text: text.removesuffix(b"\n"),
        lambda text: text.replace(b" ", b"\t"),
    ],
)
def test_marks_line_ends_and_comments_change_nothing(root, opened, written):
    path = root / "train_pairlist.txt"
    path.write_bytes(written(path.read_bytes()))
    source = opened("photo_triage", root)
    assert source.skipped == {}
    assert len(source.library(0).moments) == 8


@pytest.mark.parametrize(
    ("gone", "looked_for"),
    [
        ("train_pairlist.txt", "train_pairlist.txt"),
        ("val_pairlist.txt", "val_pairlist.txt"),
        ("train_val_imgs", "folder train_val_imgs"),
    ],
)
def test_a_wrong_layout_is_told_by_what_was_looked_for(root, refusal, gone, looked_for):
    (root / gone).rename(root.parent / "elsewhere")
    assert refusal("photo_triage", root) == (
        f"photos.root={root} has no {looked_for}; photos=photo_triage reads a copy of Photo "
        "Triage: train_pairlist.txt, val_pairlist.txt, and photos in train_val_imgs/."
    )


def test_a_list_without_a_row_of_use_is_refused(root, refusal):
    (root / "train_pairlist.txt").write_bytes(b"\0" * 4096)
    assert refusal("photo_triage", root).startswith(
        f"photos.root={root} has no row in train_pairlist.txt that names photos of "
    )


def test_no_folder_is_refused(tmp_path, refusal):
    assert refusal("photo_triage", tmp_path / "gone").startswith(
        f"photos.root={tmp_path / 'gone'} is not a folder that can be listed (No such file or "
    )


def test_links_are_never_followed(root, tmp_path, opened, refusal):
    photo = root / "train_val_imgs" / "000001-01.JPG"
    photo.rename(tmp_path / "outside.JPG")
    photo.symlink_to(tmp_path / "outside.JPG")
    assert opened("photo_triage", root).skipped == {
        "symbolic link": 1,
        "table row for a photo that is not there": 2,
    }
    table = root / "train_pairlist.txt"
    table.rename(tmp_path / "outside.txt")
    table.symlink_to(tmp_path / "outside.txt")
    assert "has no train_pairlist.txt" in refusal("photo_triage", root)


@pytest.mark.parametrize("changes", [{"devices": 2}, {"held_out_devices": 2}])
def test_more_devices_than_there_are_is_refused(root, refusal, changes):
    assert refusal("photo_triage", root, **changes).startswith("photos.devices=")
