"""Ranks one's own photographs with a run's model; nothing leaves the machine."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from photos.folder.decoding import Photograph, decode
from photos.library import Feedback
from ranking.model.build import build_ranker
from ranking.model.ranker import Ranker
from ranking.weights import load_weights, read_origin
from simulations.ranking.contact_sheet import FIRST, SheetRow, Thumbnail, contact_sheet
from simulations.ranking.own_photographs import PhotoList, read_own
from simulations.runs.run_folder import MODEL, RunFolder, write_whole

LARGEST_SHEET = 60
"""Moments on the sheet, which is then 9,628 pixels high. ranking.csv has all of them."""

INSIDE = (MODEL, "public", "private")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """What ``rank`` wrote.

    Attributes:
        table: ranking.csv, with every photo.
        sheet: contact-sheet.png, with the first 60 moments.
        moments: How many lists were ranked.
        photos: How many photos they hold.
        skipped: How many files, rows and moments were left out, by reason.
    """

    table: Path
    sheet: Path
    moments: int
    photos: int
    skipped: dict[str, int]

    def lines(self) -> tuple[str, ...]:
        """What to print."""
        return (
            f"{self.photos} photos in {_moments(self.moments)}: {self.table}, {self.sheet}",
            *(f"skipped {count} × {reason}" for reason, count in self.skipped.items()),
        )


def rank(run: Path, folder: Path, *, out: Path | None) -> Ranked:
    """Ranks the photos of a folder, moment by moment, and writes a table and a contact sheet.

    Args:
        run: A run's folder, its public half, or the file of the model: only that is read.
        folder: Photos, a device's folder, or a folder of device folders.
        out: Where to write; ``ranking-<folder>`` in the working directory where None. The
            photos' own folder and the run's stay as they are.

    Raises:
        ValueError: There is no sound model, no photo to rank, or no place to write.
    """
    ranker, side = _model(run)
    own = read_own(folder, side=side)
    lists = [_Scored(photos=photos, scores=_scores(ranker, photos)) for photos in own.lists]
    place = out or Path(f"ranking-{folder.resolve().name}")
    try:
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / "ranking.csv", _table(lists, folder=folder))
        _sheet(lists, run=run, folder=folder).save(place / "contact-sheet.png")
    except OSError as failure:
        raise ValueError(f"{place} cannot hold the ranking: {failure.strerror}.") from failure
    return Ranked(
        table=place / "ranking.csv",
        sheet=place / "contact-sheet.png",
        moments=len(lists),
        photos=sum(len(one.scores) for one in lists),
        skipped={str(reason): count for reason, count in sorted(own.skipped.items())},
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Scored:
    """A list and its photos' scores, in the order of capture."""

    photos: PhotoList
    scores: NDArray[np.float32]

    def order(self) -> list[int]:
        """Places in the list, best first; equal scores keep the order of capture."""
        places: list[int] = np.argsort(-self.scores, kind="stable").tolist()
        return places


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


@torch.inference_mode()
def _scores(ranker: Ranker, photos: PhotoList) -> NDArray[np.float32]:
    pixels = torch.from_numpy(np.stack([photo.pixels for photo in photos.photographs]))
    moment = pixels.permute(0, 3, 1, 2).unsqueeze(0) / 255
    scores = ranker(moment, where=torch.ones(moment.shape[:2], dtype=torch.bool))
    return np.asarray(scores[0].numpy(), dtype=np.float32)


def _table(lists: list[_Scored], *, folder: Path) -> str:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("moment", "rank", "photo", "score"))
    for one in lists:
        for position, place in enumerate(one.order(), start=1):
            photo = one.photos.path(place).relative_to(folder).as_posix()
            table.writerow((one.photos.label, position, photo, f"{one.scores[place]:.4f}"))
    return text.getvalue()


def _sheet(lists: list[_Scored], *, run: Path, folder: Path) -> Image.Image:
    shown = lists[:LARGEST_SHEET]
    extent = _moments(len(lists))
    if len(lists) > len(shown):
        extent = f"the first {len(shown)} of {extent}; ranking.csv holds all"
    return contact_sheet(
        [SheetRow(label=one.photos.label, thumbnails=_thumbnails(one)) for one in shown],
        title=folder.resolve().name,
        subtitle=f"ranked by {_title(run)}, best on the left; {extent}",
    )


def _thumbnails(one: _Scored) -> tuple[Thumbnail, ...]:
    seen: set[str] = set()
    thumbnails = []
    for place in one.order():
        row = one.photos.rows[place]
        thumbnails.append(
            Thumbnail(
                pixels=_picture(one.photos, place),
                favourite=row.feedback == Feedback.FAVOURITE,
                duplicate=row.burst in seen,
            )
        )
        seen |= {row.burst} - {""}
    return tuple(thumbnails)


def _picture(photos: PhotoList, place: int) -> NDArray[np.uint8]:
    """The photo large enough to look at; as the model saw it where its file has gone since."""
    again = decode(photos.path(place), side=FIRST)
    return (again if isinstance(again, Photograph) else photos.photographs[place]).pixels
