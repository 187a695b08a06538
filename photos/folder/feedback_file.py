"""``feedback.csv``: what the owner of a device did with each photo."""

import csv
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from photos.folder.regular_file import open_regular
from photos.folder.skips import Skip
from photos.library import Feedback

NAME = "feedback.csv"
LARGEST_TABLE = 2**28
"""Characters that are read: the rows of two million photos. Without it a file of holes, which
may claim any length, keeps the device reading for ever."""
LONGEST_LINE = 131_072
"""Characters: the csv module's own limit of one cell. Without it one line fills the memory."""

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

    A missing file is an empty table. A row for no photo, a second row for a photo and an
    unknown word of feedback are left out and counted; so is a line that cannot be read, and
    with it no other: a moment's feedback depends on its own lines alone. A table without its
    head is left out whole. What is read so far stays where the file ends in an error, or goes
    on beyond 2^28 characters.

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
        with TextIOWrapper(file, "utf-8-sig", errors="surrogateescape") as text:
            _read(text, photos, table)
    except OSError:
        table.skipped[Skip.BAD_TABLE] += 1
    return table


def _read(text: TextIO, photos: Collection[str], table: FeedbackTable) -> None:
    lines = _lines(text)
    names = next(lines, None)
    if names is None or "photo" not in names:
        table.skipped[Skip.BAD_TABLE] += 1
        return
    for cells in lines:
        if cells is None:
            table.skipped[Skip.BAD_ROW] += 1
        elif cells:
            _take(dict(zip(names, cells, strict=False)), photos, table)


def _lines(text: TextIO) -> Iterator[list[str] | None]:
    """The cells of each physical line: none of a blank line, None where it cannot be read."""
    read = 0
    while read < LARGEST_TABLE and (line := text.readline(LONGEST_LINE)):
        read += len(line)
        if len(line) < LONGEST_LINE or line.endswith("\n"):
            yield _cells(line)
            continue
        while read < LARGEST_TABLE and (rest := text.readline(LONGEST_LINE)):
            read += len(rest)
            if rest.endswith("\n"):
                break
        yield None


def _cells(line: str) -> list[str] | None:
    try:
        line.encode()
        (cells,) = csv.reader([line.strip()], skipinitialspace=True, strict=True)
    except (UnicodeEncodeError, csv.Error, ValueError):
        return None
    return cells


def _take(line: Mapping[str, str], photos: Collection[str], table: FeedbackTable) -> None:
    photo = line.get("photo", "").strip().replace("\\", "/")
    feedback = _WORDS.get(line.get("feedback", "").strip().lower())
    if photo not in photos:
        table.skipped[Skip.ROW_WITHOUT_PHOTO] += 1
    elif photo in table.rows:
        table.skipped[Skip.SECOND_ROW] += 1
    elif feedback is None:
        table.skipped[Skip.UNKNOWN_FEEDBACK] += 1
    else:
        table.rows[photo] = FeedbackRow(burst=line.get("burst", "").strip(), feedback=feedback)
