"""Ranks one's own photographs with a model; nothing leaves the machine."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from photos.folder.listing import obstacle
from simulations.ranking import results, sidecars
from simulations.ranking.chosen_model import chosen_model, model_file
from simulations.ranking.own_photographs import read_own
from simulations.ranking.results_folder import ResultsFolder, check_apart, whole
from simulations.ranking.scored_list import scored


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """What ``rank`` wrote.

    Attributes:
        table: ranking.csv, with every photo.
        page: ranking.html, with every photo too; of more than 500 it links to further pages.
        sheet: contact-sheet.png, with the first 60 moments.
        ratings: The folder of the sidecars, where they were asked for.
        moments: How many lists were ranked.
        photos: How many photos they hold.
        skipped: How many files, rows, moments and sidecars were left out, by reason.
        warning: Why the order may be worthless, or "".
    """

    table: Path
    page: Path
    sheet: Path
    ratings: Path | None
    moments: int
    photos: int
    skipped: dict[str, int]
    warning: str

    def lines(self) -> tuple[str, ...]:
        """What to print."""
        files = [self.page, self.table, self.sheet, *([self.ratings] if self.ratings else [])]
        return (
            f"{self.photos} photos in {results.moments(self.moments)}: "
            f"{', '.join(map(str, files))}",
            *(f"skipped {count} × {reason}" for reason, count in self.skipped.items()),
            *([self.warning] if self.warning else []),
        )


def rank(
    run: Path | None,
    folder: Path,
    *,
    out: Path | None,
    force: bool = False,
    xmp: Path | None = None,
    encoder: Path | None = None,
) -> Ranked:
    """Ranks the photos of a folder, moment by moment; writes a table, web pages and a sheet.

    Args:
        run: A run's folder, its public half, or the file of the model: only that is read, and
            where its encoder's file is. None takes the public ranker.
        folder: Photos, a device's folder, or a folder of device folders.
        out: A new or empty folder; ``ranking-<folder>`` in the working directory where None.
            The photos' own folder and the run's stay as they are.
        force: Whether a folder that holds a former ranking and nothing else may be taken.
        xmp: Another such folder, for ratings in sidecars; None writes none.
        encoder: The ONNX file that the run's model ranks over; None takes the one that ran.

    Raises:
        ValueError: There is no sound model or encoder, no photo to rank, or no place to write;
            everything is as it was.
    """
    _check_photos(run, folder)
    model = chosen_model(run, encoder=encoder)
    place = out or Path(f"ranking-{results.folder_name(folder)}")
    places = _places(run, folder, out=place, xmp=xmp)
    with _refused(places), whole(places, force=force) as (draft, *ratings):
        own = read_own(folder, side=model.side)
        lists = [scored(model.ranker, photos) for photos in own.lists]
        results.write_results(draft, lists, model=model, folder=folder)
        for into in ratings:
            left_out = sidecars.write_sidecars(lists, photos=folder, into=into)
            own.skipped[sidecars.TOO_LONG] += left_out
    return Ranked(
        table=place / results.TABLE,
        page=place / results.PAGE,
        sheet=place / results.SHEET,
        ratings=xmp,
        moments=len(lists),
        photos=sum(len(one.scores) for one in lists),
        skipped={str(reason): count for reason, count in sorted((+own.skipped).items())},
        warning=model.warning,
    )


def _check_photos(run: Path | None, folder: Path) -> None:
    """Refuses what can hold no photographs, before a model is loaded or a folder made."""
    if run is None and model_file(folder) not in (None, folder):
        raise ValueError(
            f"{folder} is a run: name the folder of your photographs after it, as in "
            f"`darkroom rank {shlex.quote(str(folder))} DIR`."
        )
    if reason := obstacle(folder):
        raise ValueError(
            f"{folder} is not a folder that can be listed ({reason}): name one that holds your "
            "photos."
        )


def _places(
    run: Path | None, folder: Path, *, out: Path, xmp: Path | None
) -> list[ResultsFolder]:
    """The folders that are written, the sidecars' after that of the ranking."""
    protected = (folder, *([run] if run is not None and run.is_dir() else []))
    places = [
        ResultsFolder(option="--out", path=out, earlier=results.former, protected=protected)
    ]
    if xmp is not None:
        places.append(
            ResultsFolder(
                option="--xmp", path=xmp, earlier=sidecars.former, protected=protected
            )
        )
    check_apart(places)
    return places


@contextmanager
def _refused(places: Sequence[ResultsFolder]) -> Iterator[None]:
    """Says in one sentence that the system keeps results from being written."""
    try:
        yield
    except OSError as failure:
        paths = " or ".join(str(one.path) for one in places)
        why = failure.strerror or failure
        raise ValueError(f"{paths} cannot hold the ranking: {why}.") from failure
