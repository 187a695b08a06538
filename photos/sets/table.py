"""Reads the text tables of public sets line by line; what cannot be read is counted."""

import csv
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from io import TextIOWrapper
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from photos.folder.regular_file import open_regular
from photos.folder.skips import Skip
from photos.folder.table_lines import LONGEST_LINE
from photos.sets.skips import SetSkip

LARGEST_TABLE = 2**30
"""Characters that are read: ten times PARA's table of 800,000 ratings. Without it a file of
holes, which may claim any length, is read for ever."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]*)?")


def lines(path: Path, skipped: Counter[str]) -> Iterator[str]:
    """Yields the lines of a UTF-8 text without their ends, blank ones left out.

    A byte order mark and either kind of line end are as nothing. A line that is not UTF-8, or
    longer than 131,071 characters, is counted. A file that cannot be opened has no line.
    """
    file = open_regular(path, largest=sys.maxsize)
    if isinstance(file, Skip):
        return
    with TextIOWrapper(file, "utf-8-sig", errors="surrogateescape") as text:
        try:
            yield from _lines(text, skipped)
        except OSError:
            skipped[SetSkip.BAD_ROW] += 1


def table(
    path: Path, columns: Sequence[str], skipped: Counter[str]
) -> Iterator[tuple[str, ...]] | str:
    """Yields the cells of some columns of a comma-separated table, row by row.

    Blanks around names and cells count as nothing. A row whose number of cells is not the
    head's is left out and counted: it was cut off, or a comma in it moved its cells.

    Args:
        path: The table.
        columns: Names of two columns or more.
        skipped: Counts what is left out.

    Returns:
        The rows, or the name of the first of ``columns`` that the head has not once.
    """
    rows = (_cells(line) for line in lines(path, skipped))
    head = [name.strip() for name in next(rows, None) or []]
    for column in columns:
        if head.count(column) != 1:
            return column
    return _rows(rows, itemgetter(*map(head.index, columns)), len(head), skipped)


def number(cell: str, *, low: float, high: float, skipped: Counter[str]) -> float | None:
    """Returns the number in a cell, or None, counted, where it is none or out of its range."""
    found = _value(cell)
    if math.isnan(found):
        skipped[SetSkip.NO_NUMBER] += 1
    elif low <= found <= high:
        return found
    else:
        skipped[SetSkip.OUT_OF_RANGE] += 1
    return None


@lru_cache(maxsize=1024)
def _value(cell: str) -> float:
    """The number in a cell, NaN for none; a table of ratings has few that differ."""
    return float(cell) if _NUMBER.fullmatch(cell) else math.nan


def whole(cell: str, *, low: int, high: int, skipped: Counter[str]) -> int | None:
    """Returns the whole number in a cell, or None, counted; same as ``number``."""
    if not cell.isascii() or not cell.isdecimal():
        skipped[SetSkip.NO_NUMBER] += 1
        return None
    found = number(cell, low=low, high=high, skipped=skipped)
    return None if found is None else int(found)


def _rows(
    rows: Iterator[list[str] | None],
    chosen: Callable[[list[str]], tuple[str, ...]],
    size: int,
    skipped: Counter[str],
) -> Iterator[tuple[str, ...]]:
    for cells in rows:
        if cells is None or len(cells) < size or any(map(str.strip, cells[size:])):
            skipped[SetSkip.BAD_ROW] += 1
        else:
            yield tuple(map(str.strip, chosen(cells)))


def _cells(line: str) -> list[str] | None:
    if '"' not in line:
        return line.split(",")  # the same, in a third of the time
    try:
        (cells,) = csv.reader([line], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):
        return None
    return cells


def _lines(text: TextIO, skipped: Counter[str]) -> Iterator[str]:
    read, inside = 0, False
    while line := text.readline(LONGEST_LINE):
        read += len(line)
        if read > LARGEST_TABLE:
            skipped[SetSkip.LONG_TABLE] += 1
            return
        ended = line.endswith("\n") or len(line) < LONGEST_LINE
        if inside or not ended or not _utf8(line):
            # Of a line that is too long, each piece comes by; it is counted once.
            skipped[SetSkip.BAD_ROW] += not inside
        elif line.strip():
            yield line.strip()
        inside = not ended


def _utf8(line: str) -> bool:
    try:
        _ = line.isascii() or line.encode()
    except UnicodeEncodeError:
        return False
    return True
