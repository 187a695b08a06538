"""One's own folder of photographs, cut into the lists that a model ranks."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from photos.decoding import Photograph
from photos.device_folder import (
    DevicePhotographs,
    PhotographedMoment,
    contents,
    read_device,
    read_flat,
)
from photos.feedback_file import Row
from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT
from photos.skips import Skip


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotoList:
    """Photographs that are ranked against each other, in the order of capture.

    Attributes:
        label: What the list is called: device and moment, and the piece of a large moment.
        folder: Where the files are.
        photographs: 2 to 12 of them.
        rows: [photographs] what feedback.csv says of each.
    """

    label: str
    folder: Path
    photographs: tuple[Photograph, ...]
    rows: tuple[Row, ...]

    def path(self, place: int) -> Path:
        """Returns the file of the photograph at ``place``."""
        return self.folder / self.photographs[place].name


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnPhotographs:
    """What a folder came to.

    Attributes:
        lists: In the order of their names.
        skipped: How many files, rows and moments were left out, by reason.
    """

    lists: tuple[PhotoList, ...]
    skipped: Counter[str]


def read_own(folder: Path, *, side: int) -> OwnPhotographs:
    """Reads a folder of photos, one device's folder, or a folder of device folders.

    A folder that holds photos itself is one moment. A moment of more than 12 photos is cut, in
    the order of capture, into as few pieces as possible of nearly equal length.

    Raises:
        ValueError: The folder is missing, or holds no two photos that could be ranked.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder: name one that holds your photos.")
    devices = dict(_devices(folder, side=side))
    skipped = sum((device.skipped for device in devices.values()), Counter[str]())
    lists: list[PhotoList] = []
    for name, device in devices.items():
        for moment in device.moments:
            lists += _pieces(folder / name, moment, device=name)
            skipped[Skip.FEW_PHOTOS] += len(moment.photographs) < SMALLEST_MOMENT
    if not lists:
        raise ValueError(f"{folder} holds no photos to rank: {_reasons(+skipped)}.")
    return OwnPhotographs(lists=tuple(lists), skipped=+skipped)


def _devices(folder: Path, *, side: int) -> Iterator[tuple[str, DevicePhotographs]]:
    listing = contents(folder)
    if listing.photos:
        yield "", read_flat(folder, side=side)
    elif any(contents(inner).photos for inner in listing.folders):
        yield "", read_device(folder, side=side)
    else:
        for device in listing.folders:
            yield device.name, read_device(device, side=side)


def _pieces(folder: Path, moment: PhotographedMoment, *, device: str) -> list[PhotoList]:
    photos = len(moment.photographs)
    if photos < SMALLEST_MOMENT:
        return []
    count = -(-photos // LARGEST_MOMENT)
    edges = [photos * piece // count for piece in range(count + 1)]
    name = "/".join(part for part in (device, moment.name) if part) or folder.resolve().name
    return [
        PhotoList(
            label=name if count == 1 else f"{name} ({piece + 1} of {count})",
            folder=folder / moment.name,
            photographs=moment.photographs[edges[piece] : edges[piece + 1]],
            rows=moment.rows[edges[piece] : edges[piece + 1]],
        )
        for piece in range(count)
    ]


def _reasons(skipped: Counter[str]) -> str:
    if skipped:
        return "; ".join(f"{count} × {reason}" for reason, count in sorted(skipped.items()))
    return "put .jpg, .jpeg, .png or .webp files there, or into folders inside, one a moment"
