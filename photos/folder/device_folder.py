"""One device's folder: moment folders of photographs and what their owner did with them."""

import os
from bisect import insort
from collections import ChainMap, Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from photos.folder import feedback_file
from photos.folder.decoding import decode
from photos.folder.feedback_file import NO_ROW, FeedbackRow, FeedbackTable
from photos.folder.listing import contents
from photos.folder.photograph import Photograph, PhotoReader
from photos.folder.raw_twins import raw_twins
from photos.folder.skips import Skip

Rows = Mapping[str, FeedbackRow]


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
    rows: tuple[FeedbackRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DevicePhotographs:
    """All that could be read of a device's folder.

    Attributes:
        moments: In the order of their names; a moment may hold no photograph.
        skipped: How many files, rows and folders were left out, by reason.
    """

    moments: tuple[PhotographedMoment, ...]
    skipped: Counter[str]


def read_device(
    folder: Path, *, side: int, most: int | None = None, reader: PhotoReader = decode
) -> DevicePhotographs:
    """Reads ``folder/<moment>/*.jpg`` and the tables of feedback in these folders.

    Guarantees:
      * nothing in the folder raises; what cannot be used is counted by reason;
      * a moment is a function of its own folder and its own rows: no file, link, name,
        permission or damage elsewhere changes it.

    Args:
        folder: A device's folder.
        side: Pixels of a photograph's side.
        most: How many photographs of a moment to keep, the first in the order of capture; None
            for all. The others are counted and take no memory.
        reader: Reads each photograph.
    """
    listing = contents(folder)
    skipped = listing.skipped + Counter({Skip.MISPLACED: len(listing.photos)})
    inside = {moment.name: contents(moment) for moment in listing.folders}
    for moment in inside.values():
        skipped += moment.skipped + Counter({Skip.MISPLACED: len(moment.folders)})
    files = {name: moment.photos for name, moment in inside.items() if moment.photos}
    read = read_moments(folder, files, side=side, most=most, reader=reader)
    return DevicePhotographs(moments=read.moments, skipped=skipped + read.skipped)


def read_moments(
    folder: Path,
    files: Mapping[str, Sequence[Path]],
    *,
    side: int,
    most: int | None = None,
    reader: PhotoReader = decode,
) -> DevicePhotographs:
    """Reads listed photographs and the tables of feedback above them, up to ``folder``.

    A table speaks of the photographs below its own folder. Where several have a row for one,
    the nearest counts. Guarantees as ``read_device``.

    Args:
        folder: A device's folder.
        files: The photographs of each moment, by its name below ``folder``.
        side: Same as for ``read_device``.
        most: Same as for ``read_device``.
        reader: Same as for ``read_device``.
    """
    table = _feedback(folder, files)
    skipped = +table.skipped
    moments = []
    for name, paths in files.items():
        twins = raw_twins(folder / name, [path.name for path in paths])
        single = [path for path in paths if path.name not in twins]
        read = (reader(path, side=side) for path in single)
        photographs, left_out = _photographs(read, most=most)
        moments.append(_moment(name, photographs, _with_twins(table.rows, name, twins)))
        skipped += left_out + Counter({Skip.RAW_TWIN: len(twins)})
    return DevicePhotographs(moments=tuple(moments), skipped=skipped)


def _feedback(folder: Path, files: Mapping[str, Sequence[Path]]) -> FeedbackTable:
    """The rows of all tables as if they were one, which stands in ``folder``."""
    whole = FeedbackTable(rows={}, skipped=Counter())
    places = {folder, *(place for name in files for place in _way(folder, name))}
    for place in sorted(places, key=lambda path: len(path.parts), reverse=True):
        path = place / feedback_file.NAME
        if not os.path.lexists(path):
            continue
        below = "".join(f"{part}/" for part in place.relative_to(folder).parts)
        table = feedback_file.read_feedback(path, photos=_below(below, files))
        rows = {f"{below}{photo}": row for photo, row in table.rows.items()}
        whole.skipped.update(table.skipped)
        whole.skipped[Skip.SECOND_ROW] += len(rows.keys() & whole.rows)
        whole.rows.update({photo: rows[photo] for photo in rows.keys() - whole.rows})
    return whole


def _way(folder: Path, name: str) -> list[Path]:
    """The folders from a moment's own up to the device's, without that."""
    moment = folder / name
    return [moment, *moment.parents][: len(moment.parts) - len(folder.parts)]


def _below(start: str, files: Mapping[str, Sequence[Path]]) -> list[str]:
    """The photographs below a folder, by their paths from there."""
    return [
        f"{name}/{path.name}".removeprefix("/").removeprefix(start)
        for name, paths in files.items()
        if f"{name}/".startswith(start)
        for path in paths
    ]


def _photographs(
    read: Iterable[Photograph | Skip], *, most: int | None
) -> tuple[list[Photograph], Counter[str]]:
    """The first ``most`` photographs in the order of capture, and why others are left out."""
    first: list[Photograph] = []
    skipped: Counter[str] = Counter()
    for photo in read:
        if isinstance(photo, Skip):
            skipped[photo] += 1
            continue
        insort(first, photo, key=_capture)
        if most is not None and len(first) > most:
            first.pop()
            skipped[Skip.MANY_PHOTOS] += 1
    return first, skipped


def _with_twins(rows: dict[str, FeedbackRow], moment: str, twins: Mapping[str, str]) -> Rows:
    """The rows by photo; one of a raw file is its twin's, where that has none."""
    given = {
        _path(moment, photo): rows[_path(moment, raw)]
        for raw, photo in twins.items()
        if _path(moment, raw) in rows
    }
    return ChainMap(rows, given)


def _path(moment: str, name: str) -> str:
    return f"{moment}/{name}".removeprefix("/")


def _moment(name: str, photographs: Sequence[Photograph], rows: Rows) -> PhotographedMoment:
    own = tuple(rows.get(_path(name, photo.name), NO_ROW) for photo in photographs)
    return PhotographedMoment(name=name, photographs=tuple(photographs), rows=own)


def _capture(photo: Photograph) -> tuple[bool, datetime, str]:
    return photo.taken is None, photo.taken or datetime.min, photo.name
