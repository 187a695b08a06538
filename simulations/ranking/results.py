"""What a ranking leaves: a table, pages and a contact sheet."""

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulations.ranking.chosen_model import ChosenModel
from simulations.ranking.contact_sheet import SheetRow, contact_sheet
from simulations.ranking.page import Heading, PagePhoto, PageRow, page_name, pages
from simulations.ranking.scored_list import DIGITS, ScoredList
from simulations.runs.whole_files import write_whole

TABLE, PAGE, SHEET = "ranking.csv", page_name(1), "contact-sheet.png"

LARGEST_SHEET = 60
"""Moments on the sheet, which is then 9,628 pixels high. The table and the pages have all."""


def write_results(
    place: Path, lists: Sequence[ScoredList], *, model: ChosenModel, folder: Path
) -> None:
    """Writes all that there is to see of a ranking.

    Args:
        place: An empty folder.
        lists: At least one.
        model: What ranked.
        folder: The folder of the photos.
    """
    write_whole(place / TABLE, _table(lists, folder=folder))
    sheet: list[SheetRow] = []
    lengths = [len(one.scores) for one in lists]
    heading = _heading(len(lists), model, folder)
    for name, text in pages(_rows(lists, sheet), lengths=lengths, heading=heading):
        write_whole(place / name, text)
    extent = moments(len(lists))
    if len(lists) > len(sheet):
        extent = f"the first {len(sheet)} of {extent}; {PAGE} shows all"
    contact_sheet(
        sheet,
        title=heading.title,
        subtitle=f"ranked by {model.title}, best on the left; {extent}",
    ).save(place / SHEET)


def former(entry: Path) -> bool:
    """Whether it is a file that a ranking leaves, by its name."""
    named = entry.name in (TABLE, SHEET) or re.fullmatch(r"ranking(-\d+)?\.html", entry.name)
    return bool(named) and entry.is_file() and not entry.is_symlink()


def moments(count: int) -> str:
    """Returns the count with its noun."""
    return "1 moment" if count == 1 else f"{count} moments"


def folder_name(folder: Path) -> str:
    """Returns what a folder is called, links followed."""
    return Path(os.path.realpath(folder)).name


def _heading(count: int, model: ChosenModel, folder: Path) -> Heading:
    return Heading(
        title=folder_name(folder),
        notes=(
            f"Ranked by {model.title}, {model.trained_on}: {moments(count)}, in each the best "
            "photo first.",
            "A score says where a photo stands among the photos of its own moment; scores of "
            "two moments cannot be compared.",
        ),
        warnings=(model.warning,) if model.warning else (),
    )


def _table(lists: Sequence[ScoredList], *, folder: Path) -> str:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("moment", "rank", "photo", "score"))
    for one in lists:
        for position, place in enumerate(one.order(), start=1):
            photo = one.photos.path(place).relative_to(folder).as_posix()
            table.writerow(
                (one.photos.label, position, photo, f"{one.scores[place]:.{DIGITS}f}")
            )
    return text.getvalue()


def _rows(lists: Sequence[ScoredList], sheet: list[SheetRow]) -> Iterator[PageRow]:
    """The rows of the pages; those of the sheet are added to ``sheet`` on the way.

    Each photo is decoded once for both.
    """
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
