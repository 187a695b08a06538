"""What a photo library is read to, before anything is trained; it stays on the machine."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from photos.owned.companions import Remark
from photos.owned.index import Index
from photos.owned.metadata.capture_time import TimeSource
from photos.owned.metadata.ratings import RatingSource
from photos.owned.moments import moments
from photos.owned.population import LibrarySource
from photos.owned.reading import read_moment
from photos.owned.settings import LibraryPhotos
from photos.owned.skips import Left
from photos.owned.tree import walk
from simulations.ranking.library_sheet import LARGEST_SHEET, Together, check_place, write_sheet

# Files that are named with what is wrong with them: as many as fit on a screen.
_MOST_REMARKS = 20


@dataclass(kw_only=True, slots=True)
class Inspection:
    """What was found.

    Attributes:
        photos: The settings.
        devices: How many devices there are.
        formats: Photos of each format.
        times: Photos by the source of their time.
        sources: Photos by the source of their rating.
        given: Photos of each feedback that a source says.
        disputed: Photos of which two sources say different things.
        moments: Moments of at least 2 photos.
        orders: Those of them whose photos differ in feedback.
        ranked: Photos in these.
        bursts: Bursts in these, lone photos included.
        skipped: How many files and moments were left out, by reason.
        remarks: Files that are left out whole or in part.
        sheet: Where the contact sheet was written, or None.
    """

    photos: LibraryPhotos
    devices: int
    formats: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)
    disputed: int = 0
    moments: int = 0
    orders: int = 0
    ranked: int = 0
    bursts: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    remarks: list[Remark] = field(default_factory=list)
    sheet: Path | None = None

    def lines(self) -> list[str]:
        """Returns what to print: only for the owner, for it names files."""
        return [
            f"{printable(self.photos.root)}: {self.formats.total():,} photos, "
            f"{_number(self.devices, 'device')} (photos.devices_by={self.photos.devices_by})",
            f"  formats   {_listed(self.formats)}",
            f"  times     {_listed(self.times, TimeSource)}",
            f"  ratings   {_listed(self.sources, RatingSource)}{self._disputed()}",
            f"  feedback  {_listed(self.given)}",
            f"  moments   {self.moments:,} by pauses of {self.photos.gap:g} minutes, "
            f"{self.orders:,} with an order: {_number(self.ranked, 'photo')} in "
            f"{_number(self.bursts, 'burst')}",
            *(f"  skipped   {count:,} × {reason}" for reason, count in _sorted(self.skipped)),
            *self._remarks(),
            *self._next(),
        ]

    def remark(self, remarks: Iterable[Remark], *, below: str) -> None:
        """Remembers files by their path below the root."""
        self.remarks += [replace(one, name=f"{below}{one.name}") for one in remarks]

    def _disputed(self) -> str:
        if not self.disputed:
            return ""
        return f"; of {self.disputed:,} a later source says otherwise and does not count"

    def _remarks(self) -> list[str]:
        shown = [
            f"    {printable(one.name)}: {one.reason}" for one in self.remarks[:_MOST_REMARKS]
        ]
        more = len(self.remarks) - len(shown)
        return [*shown, f"    and {_number(more, 'more file')}"] if more else shown

    def _next(self) -> list[str]:
        sheet = self.sheet or "none: --out FILE.png draws moments and bursts"
        advice = f"Nothing to learn from yet: {self.photos.advice()}."
        return [f"  sheet     {sheet}", *([] if self.orders else [advice])]


def inspect(photos: LibraryPhotos, *, out: Path | None, force: bool = False) -> Inspection:
    """Reads all that a run would, and draws 60 moments, those with an order first.

    Args:
        photos: The settings of the source.
        out: The PNG file to write; None for none.
        force: Whether a file there is replaced.

    Raises:
        ValueError: There is no photo to read, or ``out`` is there already, is a folder, lies
            among the photos, or cannot be written.
    """
    if out is not None:
        check_place(out, photos, force=force)
    source = LibrarySource(photos)
    devices = source.devices + source.held_out_devices
    found = Inspection(photos=photos, devices=devices)
    if photos.devices_by == "folder":
        found.skipped[Left.LOOSE] += len(next(walk(photos.folder())).photos)
    with_order: list[Together] = []
    without: list[Together] = []
    for device in range(devices):
        index, folder = source.index(device), source.folder(device)
        below = f"{folder.name}/" if photos.devices_by == "folder" else ""
        _count(index, found, below=below)
        for together in moments(index.photos, gap=photos.gap):
            one = Together(folder=folder, photos=together)
            place = with_order if _take(one, found, below=below) else without
            if len(place) < LARGEST_SHEET and len(together) > 1:
                place.append(one)
    if out is not None:
        shown = [*with_order, *without][:LARGEST_SHEET]
        found.sheet = write_sheet(shown, photos, out, of=found.moments)
    return found


def printable(name: str) -> str:
    """Returns a name, or its escaped form where it holds what no line of text may."""
    return name if name.isprintable() else repr(name)


def _count(index: Index, found: Inspection, *, below: str) -> None:
    found.formats.update(photo.format for photo in index.photos)
    found.times.update(photo.taken.source for photo in index.photos)
    rated = [photo.rating for photo in index.photos if photo.rating]
    found.sources.update(one.source for one in rated)
    found.given.update(one.feedback.name.lower() for one in rated)
    found.disputed += sum(one.disputed for one in rated)
    found.skipped += index.skipped
    found.remark(index.remarks, below=below)


def _take(one: Together, found: Inspection, *, below: str) -> bool:
    """Counts a moment as a run would; returns whether it says an order."""
    read = read_moment(one.folder, one.photos, found.photos)
    found.skipped += read.skipped
    found.remark(read.lost, below=below)
    found.moments += len(one.photos) > 1
    if read.moment is None:
        return False
    found.orders += 1
    found.ranked += len(read.moment.photos)
    found.bursts += len(np.unique(read.moment.bursts))
    return True


def _sorted(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _listed(counts: Counter[str], order: Iterable[str] = ()) -> str:
    """The counts in an order, or else the largest first."""
    named = [(name, counts[name]) for name in order if counts[name]] or _sorted(counts)
    return " · ".join(f"{name} {count:,}" for name, count in named) or "none"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
