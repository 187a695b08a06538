"""A population of real photographs: ``ROOT/<device>/<moment>/*.jpg``."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photos.device_folder import PhotographedMoment, contents, read_device
from photos.feedback_file import Row
from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT, Library, Moment
from photos.settings import Photos
from photos.skips import Skip

_LAYOUT = (
    "the layout is ROOT/<device>/<moment>/*.jpg; make one with `darkroom photos sample DIR`"
)


class FolderSource:
    """Libraries read from a folder of device folders.

    Devices are numbered in the order of their folders' names: training devices from the front,
    held-out devices from the back, so that both stay the same when the other count changes.

    Guarantees:
      * a moment is one folder, at most 12 photos of it, and one example: its number and its
        content depend on no other moment;
      * the same files give the same library;
      * symbolic links are never followed: one could leave the folder, or put a photo into two
        moments, which would double what that photo can move.

    Attributes:
        devices: Devices that may train.
        held_out_devices: Devices that never train, numbered after them.
    """

    def __init__(self, photos: Photos) -> None:
        """Lists the device folders; no photograph is opened yet.

        Raises:
            ValueError: There is no such folder, no photo in it, or too few device folders.
        """
        folders = _device_folders(photos)
        self.held_out_devices = photos.held_out_devices
        available = len(folders) - photos.held_out_devices
        self.devices = available if photos.devices is None else photos.devices
        if not 1 <= self.devices <= available:
            raise ValueError(_too_few(photos, len(folders)))
        self._folders = (*folders[: self.devices], *folders[available:])
        self._side = photos.side

    def name(self, device: int) -> str:
        """Returns a device's folder name, for commands on the owner's machine alone."""
        return self._folders[device].name

    def library(self, device: int) -> Library:
        """Reads one device's photographs; what cannot be used is counted, never raised."""
        read = read_device(self._folders[device], side=self._side)
        moments = [_moment(one) for one in read.moments]
        skipped = read.skipped + sum((_left_out(one) for one in read.moments), Counter())
        if not read.moments:
            skipped[Skip.EMPTY_DEVICE] += 1
        return Library(
            device=device,
            moments=tuple(sorted((m for m in moments if m), key=lambda m: m.number)),
            skipped={str(reason): count for reason, count in sorted(skipped.items())},
        )


def skipped_total(libraries: Iterable[Library]) -> dict[str, int]:
    """Returns how many files and moments were left out of all libraries, by reason."""
    total: Counter[str] = Counter()
    for library in libraries:
        total.update(library.skipped)
    return dict(sorted(total.items()))


def moment_number(name: str) -> int:
    """Returns the number of the moment folder ``name``: 63 bits of its SHA-256.

    It depends on no other moment, as the moments' secret draws demand; among a million moments
    of one device two share a number with a probability of 5e-8.
    """
    return (
        int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8])
        >> 1
    )


def _moment(moment: PhotographedMoment) -> Moment | None:
    photographs = moment.photographs[:LARGEST_MOMENT]
    rows = moment.rows[:LARGEST_MOMENT]
    if len(photographs) < SMALLEST_MOMENT:
        return None
    return Moment(
        number=moment_number(moment.name),
        photos=np.stack([photo.pixels for photo in photographs]),
        bursts=_bursts(rows),
        feedback=np.array([row.feedback for row in rows], dtype=np.int64),
        expected_gain=None,
    )


def _left_out(moment: PhotographedMoment) -> Counter[str]:
    many = max(0, len(moment.photographs) - LARGEST_MOMENT)
    few = len(moment.photographs) < SMALLEST_MOMENT
    return Counter({Skip.MANY_PHOTOS: many, Skip.FEW_PHOTOS: int(few)})


def _bursts(rows: tuple[Row, ...]) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    keys = (row.burst or f"\0{place}" for place, row in enumerate(rows))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _device_folders(photos: Photos) -> tuple[Path, ...]:
    if photos.root is None:
        raise ValueError(
            f"photos.root must name a folder when photos.source=folder: {_LAYOUT}."
        )
    root = Path(photos.root).expanduser()
    if not root.is_dir():
        raise ValueError(f"photos.root={photos.root} is not a folder: {_LAYOUT}.")
    folders = contents(root).folders
    if not any(_holds_photos(folder) for folder in folders):
        raise ValueError(
            f"photos.root={photos.root} holds no device folder with photos: {_LAYOUT}."
        )
    return folders


def _holds_photos(device: Path) -> bool:
    return any(contents(moment).photos for moment in contents(device).folders)


def _too_few(photos: Photos, folders: int) -> str:
    wanted = "at least 1" if photos.devices is None else photos.devices
    return (
        f"photos.devices={wanted} and photos.held_out_devices={photos.held_out_devices} need "
        f"more than the {folders} device folders of photos.root={photos.root}; lower either."
    )
