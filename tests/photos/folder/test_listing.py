"""What a folder holds, entry by entry."""

import os
from pathlib import Path

import pytest

from photos.folder.listing import contents, obstacle
from photos.folder.skips import Skip


def _names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_photos_and_folders_are_listed_by_name_and_the_others_counted(tmp_path):
    for name in ("b.jpg", "a.WebP", "c.JPEG", "d.png", "e.HEIC", "f.cr2", "film.mov", "notes"):
        (tmp_path / name).touch()
    for name in ("z", "y.jpg"):
        (tmp_path / name).mkdir()
    (tmp_path / "twin.jpg").symlink_to("b.jpg")
    os.mkfifo(tmp_path / "pipe.png")
    found = contents(tmp_path)
    assert _names(found.photos) == ["a.WebP", "b.jpg", "c.JPEG", "d.png", "e.HEIC", "f.cr2"]
    assert _names(found.folders) == ["y.jpg", "z"]
    assert found.skipped == {Skip.OTHER_FILE: 2, Skip.LINK: 1, Skip.UNREADABLE: 1}


def test_hidden_entries_and_the_table_of_feedback_are_passed_over(tmp_path):
    (tmp_path / ".hidden.jpg").touch()
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / "feedback.csv").touch()
    found = contents(tmp_path)
    assert (found.photos, found.folders, found.skipped.total()) == ((), (), 0)


def test_a_link_to_nowhere_or_to_itself_is_a_link_like_any_other(tmp_path):
    (tmp_path / "a.jpg").symlink_to("nowhere")
    (tmp_path / "b").symlink_to("b")
    assert contents(tmp_path).skipped == {Skip.LINK: 2}


def test_a_folder_that_cannot_be_listed_counts_once(tmp_path):
    assert contents(tmp_path / "missing").skipped == {Skip.UNREADABLE: 1}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", None),
        ("missing", "No such file or directory"),
        ("file", "Not a directory"),
        ("a\0b", "it is no name of a folder"),
    ],
)
def test_what_stands_in_the_way_of_listing_is_reported_in_the_systems_words(
    tmp_path, name, reason
):
    (tmp_path / "file").touch()
    assert obstacle(tmp_path / name) == reason
