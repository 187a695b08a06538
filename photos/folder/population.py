"""A population of real photographs: ``ROOT/<device>/<moment>/*.jpg``."""

import hashlib
import os
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photos.folder.decoding import decode
from photos.folder.device_folder import PhotographedMoment, read_device
from photos.folder.feedback_file import FeedbackRow
from photos.folder.listing import contents, obstacle
from photos.folder.photograph import PhotoReader
from photos.folder.settings import FolderPhotos
from photos.folder.skips import Skip
from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT, Library, Moment
from photos.numbering import numbered
from photos.source import Orders

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

    def __init__(self, photos: FolderPhotos) -> None:
        """Lists the device folders; no photograph is opened yet.

        Raises:
            ValueError: There is no root, no such folder, no photo in it, or too few device
                folders.
        """
        if flaw := photos.flaw():
            raise ValueError(flaw)
        folders = _device_folders(photos)
        self._folders = numbered(folders, photos)
        if not self._folders:
            raise ValueError(_too_few(photos, len(folders)))
        self.held_out_devices = photos.held_out_devices
        self.devices = len(self._folders) - photos.held_out_devices
        self._side = photos.side

    def name(self, device: int) -> str:
        """Returns a device's folder name, for commands on the owner's machine alone."""
        return self._folders[device].name

    def library(self, device: int) -> Library:
        """Reads one device's photographs; what cannot be used is counted, never raised."""
        return self.read(device, decode)

    def read(self, device: int, reader: PhotoReader) -> Library:
        """Reads one device's photographs, with what ``reader`` puts in the place of pixels."""
        folder = self._folders[device]
        return read_library(folder, side=self._side, device=device, reader=reader)

    def orders(self, device: int) -> Orders:
        """None: what the owner of real photographs would like is not known."""
        return {}


def read_library(
    folder: Path, *, side: int, device: int, reader: PhotoReader = decode
) -> Library:
    """Reads the library in one device's folder; what cannot be used is counted, never raised.

    Args:
        folder: The device's folder.
        side: Pixels of a photograph's side.
        device: Number that the library is given.
        reader: Reads each photograph, or what stands in the place of its pixels.
    """
    read = read_device(folder, side=side, most=LARGEST_MOMENT, reader=reader)
    moments = [_moment(one) for one in read.moments]
    whole = [moment for moment in moments if moment]
    few = len(moments) - len(whole)
    none = int(not moments)
    skipped = read.skipped + Counter({Skip.FEW_PHOTOS: few, Skip.EMPTY_DEVICE: none})
    return Library(
        device=device,
        moments=tuple(sorted(whole, key=lambda moment: moment.number)),
        skipped={str(reason): count for reason, count in sorted(skipped.items())},
    )


def moment_number(name: str) -> int:
    """Returns the number of the moment folder ``name``: 63 bits of the SHA-256 of its bytes.

    It depends on no other moment, as the moments' secret draws demand, and on no language of
    the system: the bytes are those on the disk. Among a million moments of one device two share
    a number with a probability of 5e-8.
    """
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8]) >> 1


def _moment(moment: PhotographedMoment) -> Moment | None:
    if len(moment.photographs) < SMALLEST_MOMENT:
        return None
    return Moment(
        number=moment_number(moment.name),
        photos=np.stack([photo.pixels for photo in moment.photographs]),
        bursts=_bursts(moment.rows),
        feedback=np.array([row.feedback for row in moment.rows], dtype=np.int64),
        expected_gain=None,
    )


def _bursts(rows: tuple[FeedbackRow, ...]) -> NDArray[np.int64]:
    numbers: dict[str, int] = {}
    keys = (row.burst or f"\0{place}" for place, row in enumerate(rows))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _device_folders(photos: FolderPhotos) -> tuple[Path, ...]:
    root = photos.folder()
    if reason := obstacle(root):
        raise ValueError(
            f"photos.root={photos.root} is not a folder that can be listed ({reason}): "
            f"{_LAYOUT}."
        )
    folders = contents(root).folders
    if not any(_holds_photos(folder) for folder in folders):
        raise ValueError(
            f"photos.root={photos.root} holds no device folder with photos: {_LAYOUT}."
        )
    return folders


def _holds_photos(device: Path) -> bool:
    return any(contents(moment).photos for moment in contents(device).folders)


def _too_few(photos: FolderPhotos, folders: int) -> str:
    wanted = "at least 1" if photos.devices is None else photos.devices
    return (
        f"photos.devices={wanted} and photos.held_out_devices={photos.held_out_devices} need "
        f"more than the {folders} device folders of photos.root={photos.root}; lower either."
    )
