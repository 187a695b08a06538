"""Which names may stand in a table, and what counts as a file of a copy."""

from collections import Counter

import made_sets
import pytest

from photos.sets.layout import is_file, is_folder, photo_paths, plain_name


@pytest.mark.parametrize(
    "name", ["a.jpg", "iaa_pub1_.jpg", "000261-07.JPG", "..jpg", "Zürich 1.jpg", "a..b"]
)
def test_a_name_of_an_entry_is_plain(name):
    assert plain_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/a.jpg", "a/b.jpg", "../a.jpg", "a\\b.jpg", "C:a.jpg", "a\0b", "a\nb"],
)
def test_a_name_that_could_lead_elsewhere_is_not(name):
    assert not plain_name(name)


def test_a_link_is_neither_a_file_nor_a_folder(tmp_path):
    file, folder = made_sets.write_photo(tmp_path / "a.jpg", 1), tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "file").symlink_to(file)
    (tmp_path / "folder").symlink_to(folder)
    found = {path.name: (is_file(path), is_folder(path)) for path in tmp_path.iterdir()}
    assert found == {
        "a.jpg": (True, False),
        "inner": (False, True),
        "file": (False, False),
        "folder": (False, False),
    }
    assert not is_file(tmp_path / "gone")
    assert not is_file(tmp_path / "a\0b")
    assert not is_file(tmp_path / ("a" * 5000))


def test_photos_are_found_one_folder_down_and_the_rest_is_counted(tmp_path):
    made_sets.write_photo(tmp_path / "one" / "a.jpg", 1)
    made_sets.write_photo(tmp_path / "two" / "a.jpg", 1)
    made_sets.write_photo(tmp_path / "stray.jpg", 1)
    (tmp_path / "two" / "note.txt").touch()
    (tmp_path / "three").symlink_to("two")
    skipped = Counter()
    assert photo_paths(tmp_path, skipped) == {"one/a.jpg", "two/a.jpg"}
    assert sum(skipped.values()) == 2
