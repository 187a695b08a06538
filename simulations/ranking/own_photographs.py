"""One's own folder of photographs, cut into the lists that a model ranks."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from photos.folder.decoding import Photograph
from photos.folder.device_folder import PhotographedMoment, read_moments
from photos.folder.feedback_file import FeedbackRow
from photos.folder.listing import Contents, contents, obstacle
from photos.folder.skips import Skip
from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT

Moments = dict[str, tuple[Path, ...]]


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
    rows: tuple[FeedbackRow, ...]

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

    Each folder that holds photos, down to the second level, is one moment: there is no guess at
    what ``folder`` is, which one file in an unusual place would turn. A moment of more than 12
    photos is cut, in the order of capture, into as few pieces as possible of nearly equal
    length.

    Raises:
        ValueError: The folder is missing, or holds no two photos that could be ranked.
    """
    if reason := obstacle(folder):
        raise ValueError(
            f"{folder} is not a folder that can be listed ({reason}): name one that holds your "
            "photos."
        )
    found, skipped = _found(folder)
    lists: list[PhotoList] = []
    for device, files in found.items():
        read = read_moments(folder / device, files, side=side)
        skipped += read.skipped
        for moment in read.moments:
            lists += _pieces(folder / device, moment, device=device)
            skipped[Skip.FEW_PHOTOS] += len(moment.photographs) < SMALLEST_MOMENT
    if not lists:
        raise ValueError(f"{folder} holds no photos to rank: {_reasons(+skipped)}.")
    return OwnPhotographs(lists=tuple(lists), skipped=+skipped)


def _found(folder: Path) -> tuple[dict[str, Moments], Counter[str]]:
    """The photos of each moment of each device, and what was passed over; none is opened yet.

    The device without a name is ``folder`` itself, and its moment without a name the photos
    that lie in it.
    """
    here = contents(folder)
    inside = {inner.name: contents(inner) for inner in here.folders}
    found = {"": _holding({"": here, **inside})}
    skipped = here.skipped
    for device, listing in inside.items():
        moments = {moment.name: contents(moment) for moment in listing.folders}
        found[device] = _holding(moments)
        skipped += listing.skipped
        for moment in moments.values():
            skipped += moment.skipped + Counter({Skip.MISPLACED: len(moment.folders)})
    return {device: files for device, files in found.items() if files}, skipped


def _holding(listings: Mapping[str, Contents]) -> Moments:
    return {name: listing.photos for name, listing in listings.items() if listing.photos}


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
