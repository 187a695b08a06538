"""What changes while it is read costs itself, and no other moment or device."""

import os
import shutil
from pathlib import Path

import pytest
from hostile_entries import ENTRIES
from PIL import Image

from photos.folder import device_folder, population
from photos.folder.skips import Skip


def _gone(moment: Path) -> None:
    shutil.rmtree(moment)


def _a_file(moment: Path) -> None:
    shutil.rmtree(moment)
    moment.touch()


def _a_photo_gone(moment: Path) -> None:
    (moment / "0.png").unlink()


def _a_photo_becomes(entry: str):
    def swap(moment: Path) -> None:
        (moment / "0.png").unlink()
        ENTRIES[entry](moment / "0.png")

    return swap


def _a_photo_of_another(moment: Path) -> None:
    (moment / "0.png").unlink()
    (moment / "0.png").symlink_to("../m0/0.png")


RACES = {
    "gone": _gone,
    "a file": _a_file,
    "a photo gone": _a_photo_gone,
    "a photo of another": _a_photo_of_another,
} | {f"a photo is {entry}": _a_photo_becomes(entry) for entry in ENTRIES}


@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("step", ["listing", "decoding", "opening"])
def test_a_moment_that_changes_while_it_is_read_costs_itself(
    device, five, side, trained, monkeypatch, race, step
):
    module, name = {
        "listing": (device_folder, "contents"),
        "decoding": (population, "decode"),
        "opening": (os, "open"),
    }[step]
    real, pending = getattr(module, name), [device / "m2"]

    def spoiled(path, *rest, **more):
        if pending and Path(path) in {device / "m2", device / "m2" / "0.png"}:
            RACES[race](pending.pop())
        return real(path, *rest, **more)

    monkeypatch.setattr(module, name, spoiled)
    found = trained(device)
    assert not pending
    assert found | {"m2": None} == five[0] | {"m2": None}
    assert _pictures(found.get("m2"), side) <= _pictures(five[0]["m2"], side)


def _pictures(moment: tuple | None, side: int) -> set[bytes]:
    raw, length = moment[2] if moment else b"", 3 * side**2
    return {raw[start : start + length] for start in range(0, len(raw), length)}


def test_a_device_that_vanishes_is_empty_and_costs_no_other(device, built, source_of):
    built(device.parent / "ben")
    source = source_of(device)
    shutil.rmtree(device)
    assert source.library(0).moments == ()
    assert source.library(0).skipped == {Skip.UNREADABLE: 1, Skip.EMPTY_DEVICE: 1}
    assert len(source.library(1).moments) == 5


def test_of_a_moment_of_many_photos_only_the_first_twelve_are_held(
    device, trained, monkeypatch
):
    taken = []
    real = device_folder.insort
    monkeypatch.setattr(
        device_folder,
        "insort",
        lambda kept, *rest, **more: (taken.append(len(kept)), real(kept, *rest, **more)),
    )
    for number in range(20):
        Image.new("RGB", (20, 20), (number, 0, 0)).save(device / "m2" / f"z{number:02}.png")
    trained(device)
    assert max(taken) == 12
