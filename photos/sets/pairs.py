"""The pair lists of Photo Triage: which of two photos of a series people preferred."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from photos.sets.skips import SetSkip
from photos.sets.table import lines, number, whole

LARGEST_NUMBER = 999_999
"""The largest number of a series that its six digits in a file's name can hold."""
LARGEST_PHOTO = 99
"""The largest number of a photo that its two digits in a file's name can hold."""

# Cells of a row: series, photo, photo, share that preferred the first, rank, rank. A row of
# another length was cut off, or is of another file.
_CELLS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """What people said of one series.

    Attributes:
        ranks: The rank of each photo by its number; 1 is the best.
        shares: The share of people that preferred the first of two photos, by their numbers.
    """

    ranks: dict[int, int] = field(default_factory=dict)
    shares: dict[tuple[int, int], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Row:
    series: int
    first: int
    second: int
    share: float
    ranks: tuple[int, int]


def photo_name(series: int, photo: int) -> str:
    """Returns the file name of a photo.

    >>> photo_name(261, 7)
    '000261-07.JPG'
    """
    return f"{series:06}-{photo:02}.JPG"


def read_pairs(path: Path, there: set[str], skipped: Counter[str]) -> dict[int, Series]:
    """Reads a pair list: six cells a row, of which the last two are ranks, not photos.

    Lines that begin with # are passed over. A row is left out and counted where it has other
    than six cells, a cell is no number or out of its range, both photos are one, a photo is not
    there, its pair has a row already in either order, or a rank is not that of an earlier row.

    Args:
        path: The list.
        there: The names of the photos that are there.
        skipped: Counts what is left out.
    """
    found: dict[int, Series] = {}
    for line in lines(path, skipped):
        if line.startswith("#"):
            continue
        row = _row(line.split(), skipped)
        if row is not None:
            _take(row, found, there, skipped)
    return found


def _row(cells: list[str], skipped: Counter[str]) -> _Row | None:
    if len(cells) != _CELLS:
        skipped[SetSkip.BAD_ROW] += 1
        return None
    series = whole(cells[0], low=0, high=LARGEST_NUMBER, skipped=skipped)
    if series is None:
        return None
    photos = [whole(cell, low=0, high=LARGEST_PHOTO, skipped=skipped) for cell in cells[1:3]]
    share = number(cells[3], low=0, high=1, skipped=skipped)
    ranks = [whole(cell, low=1, high=LARGEST_PHOTO, skipped=skipped) for cell in cells[4:]]
    match photos, share, ranks:
        case [int(first), int(second)], float(share), [int(one), int(other)]:
            return _Row(series, first, second, share, (one, other))
    return None


def _take(row: _Row, found: dict[int, Series], there: set[str], skipped: Counter[str]) -> None:
    known = found.get(row.series, Series())
    pair = (row.first, row.second)
    if row.first == row.second or known.shares.keys() & {pair, pair[::-1]}:
        skipped[SetSkip.SECOND_ROW] += 1
    elif not {photo_name(row.series, photo) for photo in pair} <= there:
        skipped[SetSkip.WITHOUT_PHOTO] += 1
    elif any(
        known.ranks.get(photo, rank) != rank
        for photo, rank in zip(pair, row.ranks, strict=True)
    ):
        skipped[SetSkip.RANKS_DISAGREE] += 1
    else:
        found[row.series] = known
        known.shares[pair] = row.share
        known.ranks.update(zip(pair, row.ranks, strict=True))
