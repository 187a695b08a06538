"""``feedback.csv``: what the owner of a device did with each photo."""

import codecs
import csv
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from photos.library import Feedback
from photos.skips import Skip

NAME = "feedback.csv"

_WORDS = {
    "": Feedback.KEEP,
    "delete": Feedback.DELETE,
    "keep": Feedback.KEEP,
    "favourite": Feedback.FAVOURITE,
    "favorite": Feedback.FAVOURITE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What the table says of one photo.

    Attributes:
        burst: Name of its burst inside its moment; empty where the photo stands alone.
        feedback: The owner's feedback; keep where the table does not say.
    """

    burst: str
    feedback: Feedback


NO_ROW = Row(burst="", feedback=Feedback.KEEP)


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackTable:
    """One device's feedback.

    Attributes:
        rows: Rows by photo, ``moment/file.jpg``.
        skipped: How many rows were left out, by reason.
    """

    rows: dict[str, Row]
    skipped: Counter[str]


def read_feedback(path: Path, *, photos: Collection[str]) -> FeedbackTable:
    """Reads a table of the columns photo, burst and feedback; the last two may be absent.

    A missing file is an empty table. A row for no photo, a second row for a photo and an
    unknown word of feedback are left out and counted; so is a line that cannot be read, and
    with it no other: a moment's feedback depends on its own lines alone. A table without its
    head is left out whole.

    Args:
        path: The file; a symbolic link is not followed.
        photos: The device's photos, ``moment/file.jpg``.
    """
    if path.is_symlink():
        return FeedbackTable(rows={}, skipped=Counter([Skip.LINK]))
    if not path.exists():
        return FeedbackTable(rows={}, skipped=Counter())
    try:
        head, *lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines() or [b""]
    except OSError:
        return FeedbackTable(rows={}, skipped=Counter([Skip.BAD_TABLE]))
    names = _cells(head)
    if names is None or "photo" not in names:
        return FeedbackTable(rows={}, skipped=Counter([Skip.BAD_TABLE]))
    cells = [_cells(line) for line in lines if line.strip()]
    there = [dict(zip(names, row, strict=False)) for row in cells if row is not None]
    table = _table(there, photos)
    if unread := cells.count(None):
        table.skipped[Skip.BAD_ROW] = unread
    return table


def _cells(line: bytes) -> list[str] | None:
    """The cells of one physical line, or None where it cannot be read."""
    try:
        (row,) = csv.reader([line.decode()], skipinitialspace=True, strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError):
        return None
    return row


def _table(lines: Iterable[dict[str, str]], photos: Collection[str]) -> FeedbackTable:
    rows: dict[str, Row] = {}
    skipped: Counter[str] = Counter()
    for line in lines:
        photo = line.get("photo", "").strip().replace("\\", "/")
        feedback = _WORDS.get(line.get("feedback", "").strip().lower())
        if photo not in photos:
            skipped[Skip.ROW_WITHOUT_PHOTO] += 1
        elif photo in rows:
            skipped[Skip.SECOND_ROW] += 1
        elif feedback is None:
            skipped[Skip.UNKNOWN_FEEDBACK] += 1
        else:
            rows[photo] = Row(burst=line.get("burst", "").strip(), feedback=feedback)
    return FeedbackTable(rows=rows, skipped=skipped)
