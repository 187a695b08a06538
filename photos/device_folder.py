"""One device's folder: moment folders of photographs and what their owner did with them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from photos import feedback_file
from photos.decoding import Photograph, decode
from photos.feedback_file import NO_ROW, FeedbackTable, Row
from photos.skips import Skip

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What a folder holds, sorted by name; hidden files are passed over.

    Attributes:
        photos: Files with a photo's suffix, in any case; nothing has been opened yet.
        folders: Folders that are no links.
        skipped: How many others there are, by reason.
    """

    photos: tuple[Path, ...]
    folders: tuple[Path, ...]
    skipped: Counter[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PhotographedMoment:
    """The photographs of one folder in the order of capture, each with its feedback row.

    Attributes:
        name: Path of the moment's folder below its device's; empty for the folder itself.
        photographs: By EXIF time; those without one follow, by name.
        rows: [photographs] feedback rows.
    """

    name: str
    photographs: tuple[Photograph, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DevicePhotographs:
    """All that could be read of a device's folder.

    Attributes:
        moments: In the order of their names; a moment may hold any number of photographs.
        skipped: How many files, rows and folders were left out, by reason.
    """

    moments: tuple[PhotographedMoment, ...]
    skipped: Counter[str]


def contents(folder: Path) -> Contents:
    """Lists a folder; one that cannot be listed is empty and counted."""
    try:
        kinds = [(path, _kind(path)) for path in sorted(folder.iterdir()) if _listed(path)]
    except OSError:
        return Contents(photos=(), folders=(), skipped=Counter([Skip.UNREADABLE]))
    return Contents(
        photos=tuple(path for path, kind in kinds if kind == "photo"),
        folders=tuple(path for path, kind in kinds if kind == "folder"),
        skipped=Counter(kind for _, kind in kinds if isinstance(kind, Skip)),
    )


def read_device(folder: Path, *, side: int) -> DevicePhotographs:
    """Reads ``folder/<moment>/*.jpg`` and ``folder/feedback.csv``.

    Whatever cannot be used is counted by reason; nothing in the folder raises.

    Args:
        folder: A device's folder.
        side: Pixels of a photograph's side.
    """
    listing = contents(folder)
    skipped = listing.skipped + Counter({Skip.MISPLACED: len(listing.photos)})
    inside = {moment.name: contents(moment) for moment in listing.folders}
    for moment in inside.values():
        skipped += moment.skipped + Counter({Skip.MISPLACED: len(moment.folders)})
    files = {name: moment.photos for name, moment in inside.items() if moment.photos}
    return _read(folder, files, skipped, side)


def read_flat(folder: Path, *, side: int) -> DevicePhotographs:
    """Reads ``folder/*.jpg`` as one moment, with ``folder/feedback.csv`` beside its photos."""
    listing = contents(folder)
    skipped = listing.skipped + Counter({Skip.MISPLACED: len(listing.folders)})
    return _read(folder, {"": listing.photos}, skipped, side)


def _listed(path: Path) -> bool:
    return not path.name.startswith(".") and path.name != feedback_file.NAME


def _kind(path: Path) -> str:
    if path.is_dir():
        return Skip.LINK if path.is_symlink() else "folder"
    return "photo" if path.suffix.lower() in SUFFIXES else Skip.OTHER_FILE


def _read(
    folder: Path, files: dict[str, tuple[Path, ...]], skipped: Counter[str], side: int
) -> DevicePhotographs:
    names = {path.relative_to(folder).as_posix() for paths in files.values() for path in paths}
    table = feedback_file.read_feedback(folder / feedback_file.NAME, photos=names)
    skipped = skipped + table.skipped
    moments = []
    for name, paths in files.items():
        decoded = [decode(path, side=side) for path in paths]
        skipped += Counter(one for one in decoded if isinstance(one, Skip))
        moments.append(
            _moment(name, (one for one in decoded if isinstance(one, Photograph)), table)
        )
    return DevicePhotographs(moments=tuple(moments), skipped=skipped)


def _moment(
    name: str, photographs: Iterable[Photograph], table: FeedbackTable
) -> PhotographedMoment:
    ordered = tuple(sorted(photographs, key=_capture))
    paths = (f"{name}/{photo.name}".removeprefix("/") for photo in ordered)
    rows = tuple(table.rows.get(path, NO_ROW) for path in paths)
    return PhotographedMoment(name=name, photographs=ordered, rows=rows)


def _capture(photo: Photograph) -> tuple[bool, datetime, str]:
    return photo.taken is None, photo.taken or datetime.min, photo.name
