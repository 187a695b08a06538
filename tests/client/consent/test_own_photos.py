"""The one library of a device: in its owner's folder, read as the run's photographs are."""

from datetime import datetime, timedelta

import pytest
from photo_files import photo

from client.consent.own_photos import OwnSource, own_photos
from photos.folder.settings import FolderPhotos
from photos.owned.settings import LibraryPhotos
from photos.registry import SETTINGS
from photos.synthetic.settings import SyntheticPhotos
from protocol.rebuild import SettingError

SHARED = {"devices": None, "held_out_devices": 3, "held_out_share": 0.2, "side": 16}
FOLDER = FolderPhotos(root="/of/the/server", **SHARED)
LIBRARY = LibraryPhotos(
    root="/of/the/server",
    devices_by="folder",
    gap=30.0,
    zone="UTC",
    burst_gap=2.0,
    burst_distance=10,
    favourite_from=4,
    **SHARED,
)
MADE = SyntheticPhotos(
    devices=5,
    held_out_devices=0,
    held_out_share=0.2,
    side=16,
    taste=0,
    taste_cosine=1.0,
    taste_flips=0,
    context_preference=0.0,
)


@pytest.fixture
def album(tmp_path):
    """Two moments of two photos, a day apart, with ratings."""
    at = datetime(2024, 5, 1, 12)
    for moment in range(2):
        for shot in range(2):
            when = at + timedelta(days=moment, minutes=shot)
            photo(
                tmp_path / "album" / f"day {moment}" / f"{shot}.jpg",
                seed=10 * moment + shot,
                taken=f"{when:%Y:%m:%d %H:%M:%S}",
                exif={0x4746: 5 * shot},
            )
    return tmp_path / "album"


@pytest.mark.parametrize("run", [FOLDER, LIBRARY, MADE], ids=["folder", "library", "made"])
def test_the_owners_folder_is_the_one_device_whatever_its_number(run, album):
    source = OwnSource(own_photos(run, album))
    library = source.library(41)
    assert library.device == 41
    assert [len(moment.photos) for moment in library.moments] == [2, 2]
    assert library.moments[0].photos.shape[1:] == (16, 16, 3)
    assert [one.number for one in source.library(0).moments] == [
        moment.number for moment in library.moments
    ]
    assert source.orders(41) == {}


@pytest.mark.parametrize("run", [FOLDER, LIBRARY], ids=["folder", "library"])
@pytest.mark.parametrize("left", ["nothing", "one photo", "a broken photo"])
def test_a_folder_without_a_moment_is_named_to_its_owner(run, left, tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    if left == "one photo":
        photo(folder / "day" / "0.jpg")
    if left == "a broken photo":
        (folder / "day").mkdir()
        (folder / "day" / "0.jpg").write_bytes(b"\xff\xd8\xff no photo")
    with pytest.raises(
        SettingError, match=rf"^node-config: photos={folder} holds no "
    ) as found:
        OwnSource(own_photos(run, folder)).library(0)
    assert "/of/the/server" not in str(found.value)
    if left == "a broken photo":
        assert "1 × " in str(found.value)


def test_a_folder_that_went_meanwhile_is_named_too(tmp_path):
    for run in (FOLDER, LIBRARY):
        with pytest.raises(SettingError, match="node-config: photos="):
            OwnSource(own_photos(run, tmp_path / "gone")).library(0)


def test_no_run_can_name_it():
    assert "own" not in SETTINGS
