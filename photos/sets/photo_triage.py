"""Photo Triage: series of near duplicates, judged in pairs (Chang et al. 2016)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from photos.folder.decoding import decode
from photos.folder.skips import Skip
from photos.library import Feedback, Judgement, Library, Moment
from photos.sets.devices import of_two_lists
from photos.sets.layout import is_file, is_folder, missing, photo_names, root_of
from photos.sets.moments import Pixels, moment_of
from photos.sets.pairs import Series, photo_name, read_pairs
from photos.sets.settings import PhotoTriagePhotos
from photos.sets.skips import SetSkip, counts
from photos.source import Orders

LISTS = ("train_pairlist.txt", "val_pairlist.txt")
FOLDER = "train_val_imgs"
INSIDE = "train_val"
LAYOUT = f"a copy of Photo Triage: {', '.join(LISTS)}, and photos in {FOLDER}/"
PAIRWISE = "pairwise accuracy"
"""The metric of the set: see ``simulations.evaluation.own_metric``."""


class PhotoTriageSource:
    """Libraries of Photo Triage: a moment is a series, its favourite the photo of rank 1.

    The photo of the largest rank of its series counts as deleted, every other one as kept. The
    set names no photographer: a device is ``device_series`` numbers of series in a row, of the
    training list for devices that may train and of the validation list for those that never do.

    Guarantees:
      * a moment depends on the files and the rows of its own series alone, and so does which
        device has it;
      * photos are decoded as their device is drawn; what cannot be used is counted, not raised.

    Attributes:
        devices: Devices that may train.
        held_out_devices: Devices that never train.
        notes: What to know of the figures.
        skipped: Rows and files left out of the tables, by reason.
    """

    def __init__(self, photos: PhotoTriagePhotos) -> None:
        """Reads both lists and lists the photos; none is opened.

        Raises:
            ValueError: A file of the layout is missing, or there are too few series.
        """
        folder, skipped = _folder(photos), Counter[str]()
        there = photo_names(folder / FOLDER, skipped)
        training, held_out = (read_pairs(folder / name, there, skipped) for name in LISTS)
        for series in training.keys() & held_out.keys():
            skipped[SetSkip.OTHER_LIST] += len(held_out.pop(series).shares)
        if not training:
            used = f"row in {LISTS[0]} that names photos of {FOLDER}"
            raise missing(photos, used, layout=LAYOUT)
        self._series = training | held_out
        judged = {
            photo_name(number, photo)
            for number, series in self._series.items()
            for photo in series.ranks
        }
        skipped[SetSkip.UNRATED] += len(there - judged)
        chunks = [_chunks(one, photos.device_series) for one in (training, held_out)]
        self._chunks = (chunks[0], chunks[1])
        self._names = of_two_lists(photos, *self._chunks)
        self._folder, self._side = folder / FOLDER, photos.side
        self.devices = len(self._names.training)
        self.held_out_devices = len(self._names.held_out)
        size = photos.device_series
        self.notes = (f"a device is {size} series numbers in a row: photographers are unnamed",)
        self.skipped: Mapping[str, int] = counts(skipped)

    def library(self, device: int) -> Library:
        """Reads one device's series."""
        chunks = self._chunks[device >= self.devices]
        skipped: Counter[str] = Counter()
        found = [self._moment(one, skipped) for one in chunks[self._names.name(device)]]
        moments = sorted((one for one in found if one), key=lambda one: one.number)
        return Library(device=device, moments=tuple(moments), skipped=counts(skipped))

    def orders(self, device: int) -> Orders:
        """None: what people would like is known by their judgements alone."""
        return {}

    def _moment(self, number: int, skipped: Counter[str]) -> Moment | None:
        series = self._series[number]
        photos = sorted(series.ranks)
        worst = max(series.ranks.values())
        names = {photo_name(number, photo): photo for photo in photos}
        return moment_of(
            list(names),
            [self._pixels(name) for name in names],
            [_feedback(series.ranks[photo], worst) for photo in photos],
            skipped,
            judge=lambda kept: _judged(series, [names[name] for name in kept]),
        )

    def _pixels(self, name: str) -> Pixels | Skip:
        read = decode(self._folder / name, side=self._side)
        return read if isinstance(read, Skip) else read.pixels


def _folder(photos: PhotoTriagePhotos) -> Path:
    """The folder that holds the lists: the root, or ``train_val`` in it as it was zipped."""
    root = root_of(photos, layout=LAYOUT)
    inside = not is_file(root / LISTS[0]) and is_folder(root / INSIDE)
    folder = root / INSIDE if inside else root
    for name in LISTS:
        if not is_file(folder / name):
            raise missing(photos, name, layout=LAYOUT)
    if not is_folder(folder / FOLDER):
        raise missing(photos, f"folder {FOLDER}", layout=LAYOUT)
    return folder


def _chunks(series: Mapping[int, Series], size: int) -> dict[str, list[int]]:
    """The numbers of series of each device by its name, which sorts as its numbers do."""
    found: dict[str, list[int]] = defaultdict(list)
    for number in sorted(series):
        found[f"{number // size:06}"].append(number)
    return dict(found)


def _feedback(rank: int, worst: int) -> Feedback:
    if rank == 1:
        return Feedback.FAVOURITE
    return Feedback.DELETE if rank == worst else Feedback.KEEP


def _judged(series: Series, photos: Sequence[int]) -> Judgement:
    """[pairs, 3] place of the first photo, of the second, and the share for the first."""
    places = {photo: place for place, photo in enumerate(photos)}
    rows = [
        (places[first], places[second], share)
        for (first, second), share in series.shares.items()
        if first in places and second in places
    ]
    return Judgement(metric=PAIRWISE, values=np.array(rows, float).reshape(-1, 3))
