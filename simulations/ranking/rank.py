"""Ranks one's own photographs with a run's model; nothing leaves the machine."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from ranking.model.build import build_ranker
from ranking.model.ranker import Ranker
from ranking.weights import load_weights, read_origin
from simulations.ranking.contact_sheet import SheetRow, contact_sheet
from simulations.ranking.own_photographs import read_own
from simulations.ranking.page import Heading, PagePhoto, PageRow, page_name, pages
from simulations.ranking.results_folder import ResultsFolder, whole
from simulations.ranking.scored_list import ScoredList, scored
from simulations.runs.run_folder import MODEL, RunFolder, write_whole

LARGEST_SHEET = 60
"""Moments on the sheet, which is then 9,628 pixels high. The table and the pages have all."""

TABLE, SHEET = "ranking.csv", "contact-sheet.png"
INSIDE = (MODEL, "public", "private")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """What ``rank`` wrote.

    Attributes:
        table: ranking.csv, with every photo.
        page: ranking.html, with every photo too; of more than 500 it links to further pages.
        sheet: contact-sheet.png, with the first 60 moments.
        moments: How many lists were ranked.
        photos: How many photos they hold.
        skipped: How many files, rows and moments were left out, by reason.
    """

    table: Path
    page: Path
    sheet: Path
    moments: int
    photos: int
    skipped: dict[str, int]

    def lines(self) -> tuple[str, ...]:
        """What to print."""
        return (
            f"{self.photos} photos in {_moments(self.moments)}: "
            f"{self.page}, {self.table}, {self.sheet}",
            *(f"skipped {count} × {reason}" for reason, count in self.skipped.items()),
        )


def rank(run: Path, folder: Path, *, out: Path | None, force: bool = False) -> Ranked:
    """Ranks the photos of a folder, moment by moment; writes a table, web pages and a sheet.

    Args:
        run: A run's folder, its public half, or the file of the model: only that is read.
        folder: Photos, a device's folder, or a folder of device folders.
        out: A new or empty folder; ``ranking-<folder>`` in the working directory where None.
            The photos' own folder and the run's stay as they are.
        force: Whether a folder that holds a former ranking and nothing else may be taken.

    Raises:
        ValueError: There is no sound model, no photo to rank, or no place to write; everything
            is as it was.
    """
    ranker, side = _model(run)
    place = out or Path(f"ranking-{folder.resolve().name}")
    results = ResultsFolder(
        option="--out", path=place, earlier=_former, protected=_protected(run, folder)
    )
    with _refused(place), whole([results], force=force) as (draft,):
        own = read_own(folder, side=side)
        lists = [scored(ranker, photos) for photos in own.lists]
        write_whole(draft / TABLE, _table(lists, folder=folder))
        _write_pictures(draft, lists, run=run, folder=folder)
    return Ranked(
        table=place / TABLE,
        page=place / page_name(1),
        sheet=place / SHEET,
        moments=len(lists),
        photos=sum(len(one.scores) for one in lists),
        skipped={str(reason): count for reason, count in sorted(own.skipped.items())},
    )


def _former(entry: Path) -> bool:
    """Whether it is a file that a ranking leaves."""
    named = entry.name in (TABLE, SHEET) or re.fullmatch(r"ranking(-\d+)?\.html", entry.name)
    return bool(named) and entry.is_file() and not entry.is_symlink()


def _protected(run: Path, folder: Path) -> tuple[Path, ...]:
    return (folder, run) if run.is_dir() else (folder,)


@contextmanager
def _refused(place: Path) -> Iterator[None]:
    """Says in one sentence that the system keeps results from being written."""
    try:
        yield
    except OSError as failure:
        why = failure.strerror or failure
        raise ValueError(f"{place} cannot hold the ranking: {why}.") from failure


def _moments(count: int) -> str:
    return "1 moment" if count == 1 else f"{count} moments"


def _file(run: Path) -> Path:
    """The model of a run's folder, of one half, or of a place where it stands alone."""
    if run.is_dir():
        return run / MODEL if (run / MODEL).is_file() else RunFolder(run).model
    return run


def _title(run: Path) -> str:
    """The name of the run, whichever part of it was named."""
    parts = (run.resolve(), *run.resolve().parents)
    return next(path.name for path in parts if path.name not in INSIDE)


def _model(run: Path) -> tuple[Ranker, int]:
    path = _file(run)
    if not path.is_file():
        raise ValueError(
            f"{run} holds no {MODEL}: name the folder of a run, as `darkroom simulate` "
            "leaves it in runs/, or its public half, or the file."
        )
    origin = read_origin(path)
    ranker = build_ranker(origin.ranking, generator=torch.Generator().manual_seed(0))
    load_weights(ranker, path)
    return ranker, origin.side


def _table(lists: Sequence[ScoredList], *, folder: Path) -> str:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("moment", "rank", "photo", "score"))
    for one in lists:
        for position, place in enumerate(one.order(), start=1):
            photo = one.photos.path(place).relative_to(folder).as_posix()
            table.writerow((one.photos.label, position, photo, f"{one.scores[place]:.4f}"))
    return text.getvalue()


def _write_pictures(
    place: Path, lists: Sequence[ScoredList], *, run: Path, folder: Path
) -> None:
    """Decodes each photo once more, for a page and, of the first moments, for the sheet."""
    sheet: list[SheetRow] = []
    heading = Heading(
        title=folder.resolve().name,
        notes=(
            f"Ranked by {_title(run)}: {_moments(len(lists))}, in each the best photo first.",
            "A score says where a photo stands among the photos of its own moment; scores of "
            "two moments cannot be compared.",
        ),
    )
    lengths = [len(one.scores) for one in lists]
    for name, text in pages(_rows(lists, sheet), lengths=lengths, heading=heading):
        write_whole(place / name, text)
    extent = _moments(len(lists))
    if len(lists) > len(sheet):
        extent = f"the first {len(sheet)} of {extent}; {page_name(1)} shows all"
    contact_sheet(
        sheet,
        title=heading.title,
        subtitle=f"ranked by {_title(run)}, best on the left; {extent}",
    ).save(place / SHEET)


def _rows(lists: Sequence[ScoredList], sheet: list[SheetRow]) -> Iterator[PageRow]:
    """The rows of the pages; those of the sheet are added to ``sheet`` on the way."""
    for one in lists:
        shown = one.thumbnails()
        if len(sheet) < LARGEST_SHEET:
            sheet.append(SheetRow(label=one.photos.label, thumbnails=shown))
        photos = zip(one.order(), shown, strict=True)
        yield PageRow(
            label=one.photos.label,
            photos=tuple(
                PagePhoto(
                    name=one.photos.path(place).name,
                    score=float(one.scores[place]),
                    thumbnail=thumbnail,
                )
                for place, thumbnail in photos
            ),
        )
