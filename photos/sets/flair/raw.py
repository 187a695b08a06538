"""FLAIR as it is downloaded: one JSON file of labels, and a JPEG for each photo."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from photos.folder.decoding import decode
from photos.folder.regular_file import open_regular
from photos.folder.skips import Skip
from photos.sets.flair.copy import LAYOUT, Labelled, Rows
from photos.sets.layout import is_folder, missing, photo_names, plain_name
from photos.sets.moments import Pixels
from photos.sets.settings import FlairPhotos
from photos.sets.skips import SetSkip

TABLE = "labels_and_metadata.json"
FOLDER = "small_images"

_KEYS = ("user_id", "image_id", "labels", "partition")


class RawCopy:
    """The layout of a download: ``labels_and_metadata.json`` and ``small_images/``."""

    def __init__(self, photos: FlairPhotos, root: Path, skipped: Counter[str]) -> None:
        """Reads the labels and lists the photos; none is opened.

        Raises:
            ValueError: The folder is missing, or the file is no list in JSON.
        """
        if not is_folder(root / FOLDER):
            raise missing(photos, f"folder {FOLDER}", layout=LAYOUT)
        self._folder = root / FOLDER
        self._rows = Rows(skipped=skipped)
        there = photo_names(self._folder, skipped)
        named: set[str] = set()
        for user, photo, labels, part in _entries(photos, root / TABLE):
            name = f"{photo}.jpg"
            if not plain_name(name):
                skipped[SetSkip.OUTSIDE] += 1
            elif isinstance(photo, str) and name not in there:
                skipped[SetSkip.WITHOUT_PHOTO] += 1
            else:
                self._rows.add(user, photo, labels, part)
                named.add(name)
        skipped[SetSkip.UNRATED] += len(there - named)

    def users(self, part: str) -> list[str]:
        """Returns the names of a part's users."""
        return self._rows.users(part)

    def labelled(self, user: str, skipped: Counter[str]) -> Labelled:
        """Returns a user's photos; what has no label was counted before."""
        return self._rows.photos[user]

    def pixels(self, user: str, photos: Sequence[str], *, side: int) -> list[Pixels | Skip]:
        """Decodes photos."""
        read = [decode(self._folder / f"{photo}.jpg", side=side) for photo in photos]
        return [one if isinstance(one, Skip) else one.pixels for one in read]


def _entries(photos: FlairPhotos, path: Path) -> Iterator[tuple[Any, ...]]:
    file = open_regular(path, largest=sys.maxsize)
    if isinstance(file, Skip):
        raise missing(photos, f"{TABLE} that can be opened", layout=LAYOUT)
    try:
        with file:
            entries = json.loads(file.read().decode("utf-8-sig"), object_hook=_entry)
    except (OSError, ValueError, RecursionError) as failure:
        whole = f"{TABLE} that is JSON to its end"
        raise missing(photos, whole, layout=LAYOUT) from failure
    if not isinstance(entries, list):
        raise missing(photos, f"{TABLE} that is a list", layout=LAYOUT)
    return (one if isinstance(one, tuple) else (None,) * len(_KEYS) for one in entries)


def _entry(found: dict[str, Any]) -> tuple[Any, ...]:
    """What counts of an entry, as it is read: its fine labels would take a gigabyte."""
    return tuple(found.get(key) for key in _KEYS)
