"""Libraries of people who rated photos from 1 to 5: what PARA and FLICKR-AES have in common."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from photos.folder.decoding import decode
from photos.folder.skips import Skip
from photos.library import Feedback, Judgement, Library
from photos.sets.devices import of_one_list
from photos.sets.layout import plain_name
from photos.sets.moments import Pixels, cut, moment_of, number_of
from photos.sets.settings import RatedPhotos
from photos.sets.skips import SetSkip, counts
from photos.source import Orders

SPEARMAN = "Spearman"
"""The metric of such a set: see ``simulations.evaluation.own_metric``."""

Ratings = dict[str, dict[str, float]]
"""The rating of each photo, by person and by the photo's path below the folder of photos."""


class RatedSource:
    """Libraries of a rated set: a device is one person, with the photos that they rated.

    A photo's feedback follows from its own rating alone: favourite from ``favourite_from`` on,
    deleted up to ``delete_to``, kept between. Photos are cut into moments by ``moments.cut``.

    Guarantees:
      * a moment depends on no other, but for which photos are in it;
      * photos are decoded as their device is drawn; what cannot be used is counted, not raised.

    Attributes:
        devices: People who may train, by their names from the front.
        held_out_devices: People who never do, from the back.
        notes: What to know of the figures.
        skipped: Rows and files left out of the tables, by reason.
    """

    def __init__(
        self,
        photos: RatedPhotos,
        seed: int,
        *,
        folder: Path,
        ratings: Ratings,
        skipped: Counter[str],
    ) -> None:
        """Numbers the people.

        Args:
            photos: The settings.
            seed: The run's seed, which cuts moments.
            folder: Where the photos are.
            ratings: What people rated of them.
            skipped: What was left out.

        Raises:
            ValueError: There are too few people.
        """
        self._people = of_one_list(photos, ratings)
        self._photos, self._seed = photos, seed
        self._folder, self._ratings = folder, ratings
        self.devices = len(self._people.training)
        self.held_out_devices = len(self._people.held_out)
        self.notes = ("held-out devices are other people, perhaps with the same photos",)
        self.skipped: Mapping[str, int] = counts(skipped)

    def library(self, device: int) -> Library:
        """Reads one person's photos."""
        return self.part(device, lambda number: True)

    def part(self, device: int, wanted: Callable[[int], bool]) -> Library:
        """Reads the photos of a person's moments that are ``wanted`` by their numbers."""
        name = self._people.name(device)
        ratings, skipped = self._ratings[name], Counter[str]()
        size, seed = self._photos.moment_size, self._seed
        moments = [
            moment_of(
                names,
                [self._pixels(one) for one in names],
                [self._feedback(ratings[one]) for one in names],
                skipped,
                judge=lambda kept: Judgement(
                    metric=SPEARMAN, values=np.array([ratings[one] for one in kept])
                ),
            )
            for names in cut(ratings, size=size, seed=seed, device=name)
            if wanted(number_of(names))
        ]
        whole = sorted((one for one in moments if one), key=lambda one: one.number)
        return Library(device=device, moments=tuple(whole), skipped=counts(skipped))

    def orders(self, device: int) -> Orders:
        """None: what people would like is known by their ratings alone."""
        return {}

    def _pixels(self, path: str) -> Pixels | Skip:
        read = decode(self._folder / path, side=self._photos.side)
        return read if isinstance(read, Skip) else read.pixels

    def _feedback(self, rating: float) -> Feedback:
        if rating >= self._photos.favourite_from:
            return Feedback.FAVOURITE
        return Feedback.DELETE if rating <= self._photos.delete_to else Feedback.KEEP


class RatingRows:
    """Gathers ratings row by row; the first row of a person for a photo counts.

    Attributes:
        ratings: So far.
        skipped: Rows and photos left out, by reason.
    """

    def __init__(self, there: set[str], skipped: Counter[str]) -> None:
        """Begins with the photos that are ``there``."""
        self.ratings: Ratings = {}
        self.skipped = skipped
        self._there = {path: path for path in there}
        self._unrated = set(there)

    def add(self, person: str, names: tuple[str, ...], rating: float | None) -> None:
        """Takes a row.

        Args:
            person: Who rated.
            names: The names of the photo's folders and of its file, as the row has them.
            rating: The rating; None where it was left out and counted.
        """
        if rating is None:
            return
        known = self._there.get("/".join(names))
        if not person:
            self.skipped[SetSkip.NO_OWNER] += 1
        elif known is None:
            plain = all(map(plain_name, names))
            self.skipped[SetSkip.WITHOUT_PHOTO if plain else SetSkip.OUTSIDE] += 1
        elif known in self.ratings.setdefault(person, {}):
            self.skipped[SetSkip.SECOND_ROW] += 1
        else:
            # One text for a photo that many rated, not one for each row.
            self.ratings[person][known] = rating
            self._unrated.discard(known)

    def finish(self, refusal: Callable[[], ValueError]) -> Ratings:
        """Returns the ratings, having counted the photos without one.

        Raises:
            ValueError: There is none; the refusal given.
        """
        if not self.ratings:
            raise refusal()
        self.skipped[SetSkip.UNRATED] += len(self._unrated)
        return self.ratings
