"""PARA: photos that subjects rated, each also by the wish to share it (Yang et al. 2022)."""

from collections import Counter
from pathlib import Path

from photos.sets.layout import is_file, is_folder, missing, photo_paths, root_of
from photos.sets.rated import RatedSource, RatingRows, Ratings
from photos.sets.settings import HIGHEST_RATING, LOWEST_RATING, ParaPhotos
from photos.sets.table import number, table

TABLE = "annotation/PARA-Images.csv"
FOLDER = "imgs"
LAYOUT = f"a copy of PARA: {TABLE}, and photos in {FOLDER}/<sessionId>/"


def open_para(photos: ParaPhotos, seed: int) -> RatedSource:
    """Opens PARA: reads its table and lists its photos, and opens none of them.

    A row counts where its photo is there and its rating is a number from 1 to 5; the first row
    of a subject for a photo counts. Every other row is counted by reason.

    Raises:
        ValueError: A file of the layout is missing, or there are too few subjects.
    """
    root, skipped = root_of(photos, layout=LAYOUT), Counter[str]()
    if not (is_folder((root / TABLE).parent) and is_file(root / TABLE)):
        raise missing(photos, TABLE, layout=LAYOUT)
    if not is_folder(root / FOLDER):
        raise missing(photos, f"folder {FOLDER}", layout=LAYOUT)
    ratings = _ratings(photos, root, skipped)
    return RatedSource(photos, seed, folder=root / FOLDER, ratings=ratings, skipped=skipped)


def _ratings(photos: ParaPhotos, root: Path, skipped: Counter[str]) -> Ratings:
    columns = ("sessionId", "imageName", "userId", photos.rating)
    rows = table(root / TABLE, columns, skipped)
    if isinstance(rows, str):
        raise missing(photos, f"column {rows} in {TABLE}", layout=LAYOUT)
    gathered = RatingRows(photo_paths(root / FOLDER, skipped), skipped)
    for session, image, subject, rating in rows:
        found = number(rating, low=LOWEST_RATING, high=HIGHEST_RATING, skipped=skipped)
        gathered.add(subject, (session, image), found)
    used = f"row in {TABLE} that names a photo of {FOLDER}"
    return gathered.finish(lambda: missing(photos, used, layout=LAYOUT))
