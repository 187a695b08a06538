"""One's own folder of photographs, cut into the lists that a model ranks."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from photos.folder.device_folder import PhotographedMoment, read_moments
from photos.folder.feedback_file import FeedbackRow
from photos.folder.listing import contents, obstacle
from photos.folder.photograph import Photograph
from photos.folder.skips import Skip
from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT

Moments = dict[str, tuple[Path, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotoList:
    """Photographs that are ranked against each other, in the order of capture.

    Attributes:
        label: What the list is called: the path of its folder, and the piece of a large one.
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
        lists: In the order of their folders, each before those inside it.
        skipped: How many files, rows and moments were left out, by reason.
    """

    lists: tuple[PhotoList, ...]
    skipped: Counter[str]


def read_own(folder: Path, *, side: int) -> OwnPhotographs:
    """Reads a folder of photos and every folder inside it, whatever their depth.

    One rule, and no guess at what ``folder`` is: each folder that holds photos itself is one
    moment, and the folders inside it are read too, so that no file turns what others are taken
    for. A moment of more than 12 photos is cut, in the order of capture, into as few pieces as
    possible of nearly equal length.

    Raises:
        ValueError: The folder is missing, or holds no two photos that could be ranked.
    """
    if reason := obstacle(folder):
        raise ValueError(
            f"{folder} is not a folder that can be listed ({reason}): name one that holds your "
            "photos."
        )
    found, skipped = _found(folder)
    read = read_moments(folder, found, side=side)
    skipped += read.skipped
    lists: list[PhotoList] = []
    for moment in read.moments:
        lists += _pieces(folder, moment)
        skipped[Skip.FEW_PHOTOS] += len(moment.photographs) < SMALLEST_MOMENT
    if not lists:
        raise ValueError(f"{folder} holds no photos to rank: {_reasons(+skipped)}.")
    return OwnPhotographs(lists=tuple(lists), skipped=+skipped)


def _found(folder: Path) -> tuple[Moments, Counter[str]]:
    """The photos of each folder, and what was passed over; none is opened yet.

    The moment without a name is ``folder`` itself.
    """
    found: Moments = {}
    skipped: Counter[str] = Counter()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        listing = contents(here)
        skipped += listing.skipped
        waiting.extend(reversed(listing.folders))
        if listing.photos:
            found["/".join(here.relative_to(folder).parts)] = listing.photos
    return found, skipped


def _pieces(folder: Path, moment: PhotographedMoment) -> list[PhotoList]:
    photos = len(moment.photographs)
    if photos < SMALLEST_MOMENT:
        return []
    count = -(-photos // LARGEST_MOMENT)
    edges = [photos * piece // count for piece in range(count + 1)]
    name = moment.name or folder.resolve().name
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
    return "put .jpg, .png, .webp or .heic files there, or into folders inside, one a moment"
