"""``feedback.csv``: what the owner of a device did with each photo."""

import csv
import os
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from photos.folder.regular_file import open_regular
from photos.folder.skips import Skip
from photos.folder.spelling import Spellings
from photos.folder.table_lines import lines
from photos.library import Feedback

NAME = "feedback.csv"
_WORDS = {
    "": Feedback.KEEP,
    "delete": Feedback.DELETE,
    "keep": Feedback.KEEP,
    "favourite": Feedback.FAVOURITE,
    "favorite": Feedback.FAVOURITE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackRow:
    """What the table says of one photo.

    Attributes:
        burst: Name of its burst inside its moment; empty where the photo stands alone.
        feedback: The owner's feedback; keep where the table does not say.
    """

    burst: str
    feedback: Feedback


NO_ROW = FeedbackRow(burst="", feedback=Feedback.KEEP)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackTable:
    """One device's feedback.

    Attributes:
        rows: Rows by photo, ``moment/file.jpg``.
        skipped: How many rows were left out, by reason.
    """

    rows: dict[str, FeedbackRow]
    skipped: Counter[str]


def read_feedback(path: Path, *, photos: Collection[str]) -> FeedbackTable:
    """Reads a table of the columns photo, burst and feedback; the last two may be absent.

    A row's photo is the one that is called so to the letter, or else the one that
    ``Spellings`` finds. A missing file is an empty table. A row for no photo, one that could
    mean several, a second row for a photo and an unknown word of feedback are left out and
    counted; so is a line that cannot be read, and with it no other: a moment's feedback depends
    on its own lines alone, and a line that could mean photos of two moments is one of both. A
    table without its head is left out whole. What is read so far stays where the file ends in
    an error, or goes on beyond 2^28 characters.

    Args:
        path: The file; a symbolic link is not followed.
        photos: The device's photos, ``moment/file.jpg``.
    """
    table = FeedbackTable(rows={}, skipped=Counter())
    if not os.path.lexists(path):
        return table
    file = open_regular(path, largest=sys.maxsize)
    if isinstance(file, Skip):
        table.skipped[Skip.LINK if file is Skip.LINK else Skip.BAD_TABLE] += 1
        return table
    try:
        with TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="") as text:
            _read(text, photos, table)
    except OSError:
        table.skipped[Skip.BAD_TABLE] += 1
    return table


def _read(text: TextIO, photos: Collection[str], table: FeedbackTable) -> None:
    every = lines(text, broken=photos)
    head = next(every, None)
    names = _cells(head) if head is not None and _is_utf8(head) else None
    if names is None or "photo" not in names:
        table.skipped[Skip.BAD_TABLE] += 1
        return
    spellings = Spellings(photos)
    for line in every:
        cells = None if line is None else _cells(line)
        if line is None or cells is None:
            table.skipped[Skip.BAD_ROW] += 1
        elif cells:
            row = dict(zip(names, cells, strict=False))
            skip = _take(row, _literally(line, names.index("photo")), spellings, table)
            table.skipped.update([skip] if skip else [])


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cells(line: str) -> list[str] | None:
    try:
        (cells,) = csv.reader([line.strip()], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        return None
    return cells


def _literally(line: str, place: int) -> str:
    """A cell with the blanks before it, which may be of the name."""
    try:
        return next(csv.reader([line]))[place]
    except (csv.Error, LookupError, StopIteration):
        return ""


def _take(
    row: Mapping[str, str], literally: str, spellings: Spellings, table: FeedbackTable
) -> Skip | None:
    """Takes a row into the table; returns why not where it is left out."""
    name, feedback = row.get("photo", ""), row.get("feedback", "").strip().lower()
    photos = spellings.meant(literally, name)
    if not all(_is_utf8(cell) for key, cell in row.items() if not photos or key != "photo"):
        return Skip.BAD_ROW
    if len(photos) != 1:
        return Skip.SEVERAL_PHOTOS if photos else Skip.ROW_WITHOUT_PHOTO
    if photos[0] in table.rows:
        return Skip.SECOND_ROW
    if feedback not in _WORDS:
        return Skip.UNKNOWN_FEEDBACK
    burst = row.get("burst", "").strip()
    table.rows[photos[0]] = FeedbackRow(burst=burst, feedback=_WORDS[feedback])
    return None
