"""FLICKR-AES: photos that workers rated (Ren et al. 2017)."""

from collections import Counter
from pathlib import Path

from photos.sets.layout import is_file, is_folder, missing, photo_names, root_of
from photos.sets.rated import RatedSource, RatingRows, Ratings
from photos.sets.settings import HIGHEST_RATING, LOWEST_RATING, FlickrAesPhotos
from photos.sets.table import number, table

TABLE = "FLICKR-AES_image_labeled_by_each_worker.csv"
FOLDER = "40K"
LAYOUT = f"a copy of FLICKR-AES: {TABLE}, and photos in {FOLDER}/"

_COLUMNS = ("worker", "imagePair", "score")


def open_flickr_aes(photos: FlickrAesPhotos, seed: int) -> RatedSource:
    """Opens FLICKR-AES: reads its table and lists its photos, and opens none of them.

    Rows count as those of ``para.open_para``. Blanks around the names of columns and of photos,
    which the published table has, count as nothing.

    Raises:
        ValueError: A file of the layout is missing, or there are too few workers.
    """
    root, skipped = root_of(photos, layout=LAYOUT), Counter[str]()
    if not is_file(root / TABLE):
        raise missing(photos, TABLE, layout=LAYOUT)
    if not is_folder(root / FOLDER):
        raise missing(photos, f"folder {FOLDER}", layout=LAYOUT)
    ratings = _ratings(photos, root, skipped)
    return RatedSource(photos, seed, folder=root / FOLDER, ratings=ratings, skipped=skipped)


def _ratings(photos: FlickrAesPhotos, root: Path, skipped: Counter[str]) -> Ratings:
    rows = table(root / TABLE, _COLUMNS, skipped)
    if isinstance(rows, str):
        raise missing(photos, f"column {rows} in {TABLE}", layout=LAYOUT)
    gathered = RatingRows(photo_names(root / FOLDER, skipped), skipped)
    for worker, image, score in rows:
        found = number(score, low=LOWEST_RATING, high=HIGHEST_RATING, skipped=skipped)
        gathered.add(worker, (image,), found)
    used = f"row in {TABLE} that names a photo of {FOLDER}"
    return gathered.finish(lambda: missing(photos, used, layout=LAYOUT))
