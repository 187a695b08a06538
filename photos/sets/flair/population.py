"""FLAIR: the photos of 51,414 users, with tastes that are simulated (Song et al. 2022)."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from photos.library import Judgement, Library
from photos.sets.devices import of_two_lists
from photos.sets.flair.copy import LAYOUT, PARTS, FlairCopy
from photos.sets.flair.hdf5 import Hdf5Copy
from photos.sets.flair.parquet import ParquetCopy
from photos.sets.flair.raw import TABLE, RawCopy
from photos.sets.flair.taste import feedback, utility, weights
from photos.sets.layout import is_file, is_folder, missing, root_of
from photos.sets.moments import cut, moment_of
from photos.sets.settings import FlairPhotos
from photos.sets.skips import counts
from photos.source import Orders

METRIC = "Spearman with the simulated taste"
"""The metric of the set: see ``simulations.evaluation.own_metric``."""

_HDF5, _PARQUET = (".hdf5", ".h5"), ".parquet"


class FlairSource:
    """Libraries of FLAIR: a device is a user, and feedback follows from a simulated taste.

    FLAIR has no preferences. What ``taste`` makes of a photo's labels stands in for them: it
    can test how training copes with owners who differ, never how well a model ranks.

    Guarantees:
      * the same copy gives the same libraries in each of its layouts;
      * a moment depends on no other, but for which photos are in it;
      * photos are read as their device is drawn; what cannot be used is counted, not raised.

    Attributes:
        devices: Users of ``train`` that may train.
        held_out_devices: Users of the held-out part.
        notes: What to know of the figures.
        skipped: Rows and files left out of the tables, by reason.
    """

    def __init__(self, photos: FlairPhotos, seed: int) -> None:
        """Opens a copy; no photo is read yet.

        Raises:
            ValueError: No layout is there, what reads it is not installed, or there are too few
                users.
        """
        skipped: Counter[str] = Counter()
        self._photos, self._seed = photos, seed
        self._copy = _opened(photos, skipped)
        self._users = of_two_lists(
            photos, self._copy.users(PARTS[0]), self._copy.users(photos.held_out)
        )
        self.devices = len(self._users.training)
        self.held_out_devices = len(self._users.held_out)
        self.notes = (
            "feedback is simulated: a taste over 17 labels, drawn for each user",
            "it tests owners who differ, not how well a model ranks",
        )
        self.skipped: Mapping[str, int] = counts(skipped)

    def library(self, device: int) -> Library:
        """Reads one user's photos."""
        user, skipped = self._users.name(device), Counter[str]()
        labelled = self._copy.labelled(user, skipped)
        liked = weights(seed=self._seed, user=user, heterogeneity=self._photos.heterogeneity)
        values = {photo: utility(places, liked) for photo, places in labelled.items()}
        moments = [
            moment_of(
                names,
                self._copy.pixels(user, names, side=self._photos.side),
                [feedback(values[one], seed=self._seed, user=user, photo=one) for one in names],
                skipped,
                judge=lambda kept: Judgement(
                    metric=METRIC, values=np.array([values[one] for one in kept])
                ),
            )
            for names in cut(
                values, size=self._photos.moment_size, seed=self._seed, device=user
            )
        ]
        whole = sorted((one for one in moments if one), key=lambda one: one.number)
        return Library(device=device, moments=tuple(whole), skipped=counts(skipped))

    def orders(self, device: int) -> Orders:
        """None: NDCG is of the simulated feedback, and the set's own metric of the taste."""
        return {}


def _opened(photos: FlairPhotos, skipped: Counter[str]) -> FlairCopy:
    """The copy in the first layout that is there: JSON, HDF5, parquet."""
    root = root_of(photos, layout=LAYOUT)
    if is_file(root / TABLE):
        return RawCopy(photos, root, skipped)
    found = _files(root, *_HDF5)
    if len(found) > 1:
        raise ValueError(
            f"photos.root={photos.root} holds {len(found)} HDF5 files; keep the one to read in "
            "a folder of its own."
        )
    if found:
        return Hdf5Copy(photos, found[0], skipped)
    if files := _files(root, _PARQUET) or _files(root / "data", _PARQUET):
        return ParquetCopy(photos, files, skipped)
    raise missing(photos, f"{TABLE}, .hdf5 or .parquet file", layout=LAYOUT)


def _files(folder: Path, *suffixes: str) -> list[Path]:
    """The files of a folder that end so; hidden ones, which macOS leaves beside, are none."""
    there = sorted(folder.iterdir()) if is_folder(folder) else []
    visible = [path for path in there if not path.name.startswith(".")]
    return [path for path in visible if path.suffix in suffixes and is_file(path)]
