"""FLAIR in one HDF5 file, a group for each user: as ml-flair and as pfl-research write it."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from photos.folder.framing import square
from photos.folder.skips import LARGEST_PIXELS, Skip
from photos.sets.flair.copy import LAYOUT, PARTS, Labelled
from photos.sets.flair.labels import places
from photos.sets.layout import missing
from photos.sets.moments import Pixels
from photos.sets.settings import FlairPhotos
from photos.sets.skips import SetSkip

METADATA, MAPPING = "metadata", "label_mapping"
SPARSE = "labels_row"
"""What tells the layouts apart: rows and columns of labels, where ml-flair joins words by |."""

# Dimensions of the images of a user: photos, height, width, colours. Of any other array a row
# would be no photo.
_DIMENSIONS = 4
# Users that are looked at to know a file of users: more than one, for one may be damaged.
_LOOKED_AT = 20
# Bytes of a pixel, as RGB: a fourth would be taken for transparency.
_CHANNELS = 3
_BROKEN = (AttributeError, KeyError, OSError, RuntimeError, TypeError, ValueError)


class Hdf5Copy:
    """The layouts of one file, ``/part/user/{images,image_ids,labels…}``.

    Only what stands in the file itself is read: no link, no data of another file.
    """

    def __init__(self, photos: FlairPhotos, path: Path, skipped: Counter[str]) -> None:
        """Reads the names of the users; each one's labels are read with their photos.

        Raises:
            ValueError: h5py is not installed, the file is no whole HDF5, or has no users.
        """
        try:
            import h5py  # noqa: F401
        except ImportError as failure:
            raise ValueError(
                f"photos.root={photos.root} holds {path.name}, which h5py reads and is not "
                "installed; install the extra: pip install 'darkroom[sets]'."
            ) from failure
        self._path = path
        try:
            with _opened(path) as file:
                self._parts = {part: _names(file, part) for part in PARTS}
                by_user = any(_by_user(file, *part) for part in self._parts.items())
                self._labels = _mapping(file) if by_user else {}
        except _BROKEN as failure:
            whole = f"{path.name} that is whole HDF5"
            raise missing(photos, whole, layout=LAYOUT) from failure
        if not by_user:
            users = f"group of images by user in {path.name}, as the central variant has none"
            raise missing(photos, users, layout=LAYOUT)
        for part in PARTS[1:]:
            both = set(self._parts[part]) & set(self._parts[PARTS[0]])
            skipped[SetSkip.OTHER_PART] += len(both)
            self._parts[part] = [one for one in self._parts[part] if one not in both]

    def users(self, part: str) -> Collection[str]:
        """Returns the names of a part's users."""
        return self._parts[part]

    def labelled(self, user: str, skipped: Counter[str]) -> Labelled:
        """Reads a user's labels; the first of equal image ids counts."""
        try:
            with _opened(self._path) as file:
                group = file[self._group(user)]
                ids = _ids(group)
                labels = self._words(group, len(ids), skipped)
        except _BROKEN:
            skipped[SetSkip.BROKEN] += 1
            return {}
        found: dict[str, tuple[int, ...]] = {}
        for photo, words in zip(ids, labels, strict=False):
            if photo in found:
                skipped[SetSkip.SECOND_ROW] += 1
            elif known := places(words, skipped):
                found[photo] = known
        return found

    def pixels(self, user: str, photos: Sequence[str], *, side: int) -> list[Pixels | Skip]:
        """Reads and resizes photos, one at a time."""
        try:
            with _opened(self._path) as file:
                group = file[self._group(user)]
                rows = {photo: row for row, photo in reversed(list(enumerate(_ids(group))))}
                images = _data(group, "images")
                return [_resized(images, rows[photo], side=side) for photo in photos]
        except _BROKEN:
            return [Skip.UNREADABLE] * len(photos)

    def _group(self, user: str) -> str:
        return next(f"{part}/{user}" for part in PARTS if user in self._parts[part])

    def _words(self, group: Any, photos: int, skipped: Counter[str]) -> list[list[str]]:
        """The words of each photo's labels, in either layout."""
        if SPARSE not in group:
            joined = [_text(one) for one in _data(group, "labels")[()].tolist()]
            return [[word for word in one.split("|") if word] for one in joined]
        found: list[list[str]] = [[] for _ in range(photos)]
        rows, columns = (_data(group, f"labels_{one}")[()].tolist() for one in ("row", "col"))
        for row, column in zip(rows, columns, strict=True):
            if 0 <= row < photos and column in self._labels:
                found[row].append(self._labels[column])
            else:
                skipped[SetSkip.OUT_OF_RANGE] += 1
        return found


def _opened(path: Path) -> Any:
    import h5py

    return h5py.File(path, "r", locking=False)


def _names(file: Any, part: str) -> list[str]:
    """The names of a part's groups that are in the file itself, sorted."""
    if not _here(file, part):
        return []
    return sorted(name for name in file[part] if _here(file[part], name))


def _by_user(file: Any, part: str, names: Sequence[str]) -> bool:
    """Whether one of the first groups is of a user: in the central variant each is an image."""
    import h5py

    found = (file[f"{part}/{name}"] for name in names[:_LOOKED_AT])
    return any(isinstance(one, h5py.Group) and "image_ids" in one for one in found)


def _here(group: Any, name: str) -> bool:
    import h5py

    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _data(group: Any, name: str) -> Any:
    """A dataset whose bytes are in the file itself, in pieces that fit the memory."""
    import h5py

    found = group[name] if _here(group, name) else None
    if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
        raise ValueError("no dataset of this file")
    if found.chunks and prod(found.chunks) * found.dtype.itemsize > _CHANNELS * LARGEST_PIXELS:
        raise ValueError("a piece that is too large")
    return found


def _ids(group: Any) -> list[str]:
    """The image ids: texts, or numbers as Hugging Face has them."""
    return [_text(one) for one in _data(group, "image_ids")[()].tolist()]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _mapping(file: Any) -> dict[int, str]:
    """The labels by their index, as pfl-research has them in JSON; else none."""
    if not (_here(file, METADATA) and _here(file[METADATA], MAPPING)):
        return {}
    mapping = json.loads(_data(file[METADATA], MAPPING)[()])
    return {int(index): str(label) for label, index in mapping.items()}


def _resized(images: Any, row: int, *, side: int) -> Pixels | Skip:
    if images.ndim != _DIMENSIONS or images.shape[3] != _CHANNELS or images.dtype != "uint8":
        return Skip.NOT_A_PHOTO
    if prod(images.shape[1:3]) > LARGEST_PIXELS:
        return Skip.TOO_LARGE
    if row >= len(images) or 0 in images.shape:
        return Skip.UNREADABLE
    return np.asarray(square(Image.fromarray(images[row]), side=side))
