"""Writes a small folder library of real photographs: the input of ``real-photos``."""

import csv
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photos.folder import feedback_file
from photos.library import Feedback
from photos.sample.capture import take
from photos.sample.owner import SampleOwner, feedback
from photos.sample.shots import draw_shots
from photos.sample.source_pictures import attribution, open_picture
from photos.sample.versions import USUAL, VERSIONS, Version

SIDE = 192
"""Pixels of a photo's side: four times the default of ``photos.side``, so that it is resized as
a real photo is."""

# One device in three is held out.
_HELD_OUT_SHARE = 3
_SUFFIXES = ("jpg", "png", "webp")
# Probability of each suffix: every format is read.
_SUFFIX_SHARES = (0.8, 0.1, 0.1)
# EXIF orientation -> quarter turns, counter-clockwise, from the upright to the stored photo.
_TURNS = {1: 0, 6: 1, 3: 2, 8: 3}
# Probability of each turn: every orientation is read.
_TURN_SHARES = (0.7, 0.15, 0.05, 0.1)
# The day of a device's first moment; each later one is a day after the last.
_FIRST_DAY = datetime(2025, 1, 1, 8)


def write_sample(
    folder: Path, *, devices: int, moments: int, seed: int, version: int = USUAL
) -> None:
    """Writes device folders of photos and feedback, and who made the pictures they come from.

    Photos are crops of a few real photographs with known exposure, colour, blur, tilt and
    noise; the feedback follows from these by a taste that all owners share for the most part.
    The last third of the devices, by name, holds only scenes that no other device has: hold it
    out. The same arguments write the same photos.

    Args:
        folder: Made if missing; must be empty.
        devices: How many device folders, at least 2.
        moments: How many moments each holds, at least 1.
        seed: Draws everything.
        version: Which sample: a number of ``versions.VERSIONS``.

    Raises:
        ValueError: The folder is not empty, a count is too small, or scikit-image or
            scikit-learn is missing; nothing has been written.
    """
    if devices < 2 or moments < 1:  # noqa: PLR2004
        raise ValueError(
            f"a sample of {devices} devices with {moments} moments is too small: ask for at "
            "least 2 devices, one to train and one held out, with 1 moment."
        )
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(f"{folder} is not an empty folder: name a new one for the sample.")
    chosen = VERSIONS[version]
    scenes = {picture.name: open_picture(picture) for picture in chosen.pictures}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise ValueError(f"{folder} cannot be made: {failure.strerror}.") from failure
    (folder / "ATTRIBUTION.txt").write_text(attribution(chosen.pictures), encoding="utf-8")
    training = devices - held_out_devices(devices)
    for device in range(devices):
        names = [one.name for one in chosen.pictures if one.held_out == (device >= training)]
        _write_device(
            folder / f"device-{device + 1:0{len(str(devices))}}",
            {name: scenes[name] for name in names},
            chosen,
            moments=moments,
            rng=np.random.default_rng([seed, device]),
        )


def held_out_devices(devices: int) -> int:
    """Returns how many of a sample's devices, the last ones, hold scenes of their own."""
    return max(1, devices // _HELD_OUT_SHARE)


def _write_device(
    folder: Path,
    scenes: Mapping[str, Image.Image],
    version: Version,
    *,
    moments: int,
    rng: np.random.Generator,
) -> None:
    owner = SampleOwner.draw(version.owners, rng=rng)
    rows: list[tuple[str, int, str]] = []
    for number in range(moments):
        scene = str(rng.choice(list(scenes)))
        shots = draw_shots(
            _FIRST_DAY + timedelta(days=number, hours=rng.uniform(0, 12)),
            shooting=version.shooting,
            rng=rng,
        )
        liking = owner.liking(tuple(shot.capture for shot in shots))
        given = feedback(liking, np.array([shot.burst for shot in shots]), rng=rng)
        moment = folder / f"{shots[0].taken:%Y-%m-%d}-{scene}"
        moment.mkdir(parents=True)
        for shot, word in zip(shots, given, strict=True):
            photo = take(scenes[scene], shot.capture, side=SIDE, rng=rng)
            suffix = rng.choice(_SUFFIXES, p=_SUFFIX_SHARES)
            path = moment / f"IMG_{len(rows) + 1:04}.{suffix}"
            _write_photo(path, photo, taken=shot.taken, rng=rng)
            name = path.relative_to(folder).as_posix()
            rows.append((name, shot.burst, Feedback(word).name.lower()))
    with (folder / feedback_file.NAME).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("photo", "burst", "feedback"), *rows])


def _write_photo(
    path: Path, photo: NDArray[np.uint8], *, taken: datetime, rng: np.random.Generator
) -> None:
    orientation = int(rng.choice(list(_TURNS), p=_TURN_SHARES))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769).update(
        {0x9003: f"{taken:%Y:%m:%d %H:%M:%S}", 0x9291: f"{taken:%f}"[:3]}
    )
    stored = np.ascontiguousarray(np.rot90(photo, _TURNS[orientation]))
    Image.fromarray(stored).save(path, exif=exif, quality=90)
