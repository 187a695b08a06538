"""Which folders of photographs are one, and what a root may be."""

from dataclasses import replace
from pathlib import Path

import pytest

from photos.folder.settings import FolderPhotos

PHOTOS = FolderPhotos(
    root="album", devices=None, held_out_devices=0, held_out_share=0.25, side=16
)


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    (tmp_path / "album").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_a_population_is_its_folder_under_any_name_and_with_any_seed(tmp_path):
    (tmp_path / "link").symlink_to("album")
    expected = {"photos.source": "folder", "photos.root": str((tmp_path / "album").resolve())}
    names = ("album", "~/album", "album/../album", "link", str(tmp_path / "album"))
    for seed, root in enumerate(names):
        assert replace(PHOTOS, root=root).identity(seed=seed) == expected


def test_how_many_devices_train_makes_no_other_population():
    assert replace(PHOTOS, devices=3, side=32).identity(seed=0) == PHOTOS.identity(seed=0)


@pytest.mark.parametrize("root", ["album", "~/album"])
def test_an_absolute_root_is_right_in_any_working_directory(tmp_path, root):
    assert replace(PHOTOS, root=root).absolute() == replace(PHOTOS, root=f"{tmp_path}/album")


def test_the_folder_of_a_user_unknown_stays_as_it_was_typed():
    assert replace(PHOTOS, root="~no-such-user/x").folder() == Path("~no-such-user/x")


def test_a_root_has_to_be_given():
    assert PHOTOS.flaw() == ""
    expected = "photos.root is empty but photos=folder; add photos.root=DIR."
    assert replace(PHOTOS, root="").flaw() == expected


def test_photographs_may_change():
    assert not PHOTOS.made
