"""A device's photos by path, time and rating; no pixels yet."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path, PurePath

from photos.folder.decoding import decode
from photos.folder.raw_twins import raw_twins
from photos.folder.skips import Skip
from photos.owned.companions import Companions, Remark, Remarks
from photos.owned.copies import same_content
from photos.owned.metadata import ratings
from photos.owned.metadata.capture_time import CaptureTime, capture_time
from photos.owned.metadata.facts import Facts, read_facts
from photos.owned.metadata.ratings import Rating, RatingSource
from photos.owned.metadata.takeout import Takeout
from photos.owned.settings import LibraryPhotos
from photos.owned.skips import Left
from photos.owned.tree import FolderFiles, walk

# Pixels: the least side that a source takes. Whether a file can be decoded asks no more.
_LEAST_SIDE = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedPhoto:
    """A photo of which no pixel is kept.

    Attributes:
        name: Its path below the device's folder, with / between names.
        format: Pillow's name of its format.
        size: Bytes of its file.
        taken: When it was taken.
        rating: What its owner did with it, or None where no source says.
    """

    name: str
    format: str
    size: int
    taken: CaptureTime
    rating: Rating | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """The photos of a device.

    Attributes:
        photos: In the order of time; of equal times by name.
        skipped: How many files were left out, by reason.
        remarks: Files that are left out whole or in part, by name, for their owner's eyes.
    """

    photos: tuple[IndexedPhoto, ...]
    skipped: Counter[str]
    remarks: tuple[Remark, ...]

    @property
    def rated(self) -> int:
        """Photos of which a source says what their owner did with them."""
        return sum(photo.rating is not None for photo in self.photos)


def index_device(folder: Path, photos: LibraryPhotos) -> Index:
    """Reads the heads of a folder's photos, and what lies beside them.

    Nothing in the folder raises; what cannot be used is counted. Of two photos that are the
    same, byte for byte and in time, one stays: Takeout writes one for each album.
    """
    remarks = Remarks()
    found: list[IndexedPhoto] = []
    for files in walk(folder):
        remarks.skipped += files.skipped
        found += _folder(folder, files, photos, remarks)
    single = _without_copies(folder, sorted(found, key=_order))
    remarks.skipped += Counter(
        {Left.COPY: len(found) - len(single), Left.NO_PHOTO: int(not found)}
    )
    return Index(photos=tuple(single), skipped=+remarks.skipped, remarks=tuple(remarks.of))


def _folder(
    root: Path, files: FolderFiles, photos: LibraryPhotos, remarks: Remarks
) -> Iterator[IndexedPhoto]:
    beside = Companions(
        folder=root / files.folder,
        below=files.folder,
        names=files.companions,
        favourite_from=photos.favourite_from,
        remarks=remarks,
    )
    twins = raw_twins(root / files.folder, files.photos)
    remarks.skipped[Skip.RAW_TWIN] += len(twins)
    found = {
        name: _photo(root, files.path(name), photos, beside)
        for name in files.photos
        if name not in twins
    }
    for raw, name in twins.items():
        found[name] = _with_twin(found[name], _rating_of(root, files.path(raw), beside))
    for name, photo in found.items():
        if isinstance(photo, IndexedPhoto):
            yield photo
        else:
            remarks.add(files.path(name), photo)
    remarks.skipped[Left.COMPANION] += beside.left_over()


def _photo(
    root: Path, name: str, photos: LibraryPhotos, beside: Companions
) -> IndexedPhoto | Skip:
    path = root / name
    facts, said = read_facts(path), beside.takeout(path.name)
    rating = _rating(name, facts, said, beside)
    if not facts.format and isinstance(skip := decode(path, side=_LEAST_SIDE), Skip):
        return skip
    try:
        status = path.lstat()
    except OSError:
        return Skip.UNREADABLE
    return IndexedPhoto(
        name=name,
        format=facts.format or path.suffix.removeprefix(".").upper(),
        size=status.st_size,
        taken=capture_time(
            path.name,
            exif=facts.taken,
            takeout=said.taken if said else None,
            modified=status.st_mtime,
            clock=photos.clock(),
        ),
        rating=rating,
    )


def _with_twin(photo: IndexedPhoto | Skip, rating: Rating | None) -> IndexedPhoto | Skip:
    if isinstance(photo, Skip):
        return photo
    return replace(photo, rating=_first_rating([photo.rating, rating]))


def _rating_of(root: Path, name: str, beside: Companions) -> Rating | None:
    path = root / name
    return _rating(name, read_facts(path), beside.takeout(path.name), beside)


def _rating(name: str, facts: Facts, said: Takeout | None, beside: Companions) -> Rating | None:
    """What the owner did, as the sidecars, the photo itself and Takeout say."""
    own = PurePath(name).name
    found = list(beside.sidecars(own))
    packets = (
        beside.packet(own, content, source=RatingSource.EMBEDDED) for content in facts.xmp
    )
    found += [packet for packet in packets if packet]
    exif = ratings.of_exif(facts.stars, facts.percent, favourite_from=beside.favourite_from)
    found.append(beside.remarked(own, exif))
    found += [ratings.of_takeout(said)] if said else []
    return ratings.rating(found)


def _order(photo: IndexedPhoto) -> tuple[datetime, bool, str]:
    return photo.taken.utc, not photo.taken.day_alone, photo.name


def _without_copies(root: Path, photos: list[IndexedPhoto]) -> list[IndexedPhoto]:
    """One of those that are the same; what is said of any of them is said of it."""
    single: list[IndexedPhoto] = []
    for _, equal in groupby(photos, key=lambda one: (one.taken.utc, one.taken.day_alone)):
        for size in _by_size(list(equal)):
            if len(size) == 1:
                single += size
                continue
            for places in same_content([root / one.name for one in size]):
                single.append(_merged([size[place] for place in places]))
    return sorted(single, key=_order)


def _by_size(photos: list[IndexedPhoto]) -> list[list[IndexedPhoto]]:
    found: dict[int, list[IndexedPhoto]] = {}
    for photo in photos:
        found.setdefault(photo.size, []).append(photo)
    return list(found.values())


def _merged(copies: list[IndexedPhoto]) -> IndexedPhoto:
    return replace(copies[0], rating=_first_rating([copy.rating for copy in copies]))


def _first_rating(ratings: Iterable[Rating | None]) -> Rating | None:
    """The one whose source counts first; of equal ones the first."""
    ranks = list(RatingSource)
    given = [rating for rating in ratings if rating]
    return min(given, key=lambda one: ranks.index(one.source), default=None)
