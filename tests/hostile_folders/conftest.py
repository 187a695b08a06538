"""A device's folder of five moments, and what each of three readers finds in it."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from alarm import within
from PIL import Image

from photos.folder.population import FolderSource, moment_number
from photos.folder.settings import FolderPhotos
from photos.split import trains
from simulations.ranking.own_photographs import read_own

SIDE = 16
MOMENTS = ("m0", "m1", "m2", "m3", "m4")
PHOTOS = FolderPhotos(
    root="",
    devices=None,
    held_out_devices=0,
    held_out_share=0.25,
    side=SIDE,
)


def build(device: Path) -> Path:
    """Five moments of three photos, with bursts and feedback of every kind."""
    rng = np.random.default_rng(0)
    rows = ["photo,burst,feedback"]
    for name in MOMENTS:
        (device / name).mkdir(parents=True)
        for number, word in enumerate(("delete", "keep", "favourite")):
            pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(device / name / f"{number}.png")
            rows.append(f"{name}/{number}.png,{'near' if number else ''},{word}")
    (device / "feedback.csv").write_text("\n".join(rows) + "\n")
    return device


def _trained(device: Path) -> dict[str, tuple]:
    """What a device trains on, by moment: its number, side, photos, bursts and feedback."""
    library = FolderSource(replace(PHOTOS, root=str(device.parent))).library(0)
    names = {moment_number(path.name): path.name for path in device.iterdir()}
    return {
        names[moment.number]: (
            moment.number,
            trains(moment.number, seed=1, device=0, held_out_share=0.5),
            moment.photos.tobytes(),
            moment.bursts.tolist(),
            moment.feedback.tolist(),
        )
        for moment in library.moments
    }


def _ranked(folder: Path, prefix: str = "") -> dict[str, tuple]:
    """What ``rank`` orders, by moment: each photo's name, pixels and row."""
    return {
        one.label.removeprefix(prefix): tuple(
            (photo.name, photo.pixels.tobytes(), row)
            for photo, row in zip(one.photographs, one.rows, strict=True)
        )
        for one in read_own(folder, side=SIDE).lists
    }


def _ranked_among_devices(device: Path) -> dict[str, tuple]:
    return _ranked(device.parent, "anna/")


READERS = (_trained, _ranked, _ranked_among_devices)


@pytest.fixture(scope="session")
def side() -> int:
    """Pixels to which photographs are made smaller."""
    return SIDE


@pytest.fixture(scope="session")
def moments() -> tuple[str, ...]:
    """The names of the five moments."""
    return MOMENTS


@pytest.fixture(scope="session")
def built():
    """Writes the five moments into a device's folder."""
    return build


@pytest.fixture(scope="session")
def source_of():
    """Opens the source of which a device's folder is one."""
    return lambda device: FolderSource(replace(PHOTOS, root=str(device.parent)))


@pytest.fixture(scope="session")
def trained():
    """What a device trains on."""
    return _trained


@pytest.fixture(scope="session")
def ranked():
    """What is ranked in a folder, by moment; a prefix is taken off their names."""
    return _ranked


@pytest.fixture(scope="session")
def found():
    """What each reader finds of the five moments, and nothing else."""

    def found(device):
        read = [reader(device) for reader in READERS]
        return [{name: one.get(name) for name in MOMENTS} for one in read]

    return found


@pytest.fixture(scope="session")
def sound(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("sound") / "root" / "anna")


@pytest.fixture(scope="session")
def five(sound: Path) -> list[dict[str, tuple]]:
    """What each reader finds where nothing is wrong."""
    found = [read(sound) for read in READERS]
    assert [sorted(one) for one in found] == [list(MOMENTS)] * len(READERS)
    return found


@pytest.fixture
def device(sound: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sound, tmp_path / "root" / "anna")


@pytest.fixture(autouse=True)
def in_time():
    """A reader that waits for a pipe fails its test instead of holding up all."""
    with within(20, what="reading"):
        yield
