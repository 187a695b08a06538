"""The procedural population: each device is a function of the seed and its number alone."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from photos.library import Library, Moment
from photos.source import Orders
from photos.synthetic.ceilings import ceiling_scores
from photos.synthetic.feedback import draw_feedback
from photos.synthetic.owner import Owner, private_owner, public_owner
from photos.synthetic.renderer import Pictures, draw_scenery, render
from photos.synthetic.settings import SyntheticPhotos
from photos.synthetic.streams import FEEDBACK, PICTURES, PRIVATE, PUBLIC, stream


@dataclass(frozen=True, slots=True)
class SyntheticSource:
    """The libraries of a population; none is kept.

    Attributes:
        settings: The population.
        seed: The run's seed.
    """

    settings: SyntheticPhotos
    seed: int

    @property
    def devices(self) -> int:
        """Devices that may train."""
        return self.settings.devices

    @property
    def held_out_devices(self) -> int:
        """Devices that never train, numbered after those."""
        return self.settings.held_out_devices

    def library(self, device: int) -> Library:
        """Makes the library of one device: the same bytes in any process and order."""
        return library(self.settings, seed=self.seed, device=device)

    def orders(self, device: int) -> Orders:
        """Returns the scores of every named order of one device, from random to Bayes."""
        return ceiling_scores(self.settings, seed=self.seed, device=device)


def library(photos: SyntheticPhotos, *, seed: int, device: int) -> Library:
    """Returns a device's library in the private population."""
    owner = private_owner(photos, seed=seed, device=device)
    pictures = _pictures(owner, PRIVATE, side=photos.side, seed=seed, device=device)
    return _library(owner, PRIVATE, pictures, seed=seed, device=device)


def public_library(*, side: int, seed: int, device: int) -> tuple[Library, Pictures]:
    """Returns a device's library in the public split, and its pictures in the same order.

    The public split shares no device with any run.
    """
    owner = public_owner(seed=seed, device=device)
    pictures = _pictures(owner, PUBLIC, side=side, seed=seed, device=device)
    return _library(owner, PUBLIC, pictures, seed=seed, device=device), pictures


def _pictures(owner: Owner, population: int, *, side: int, seed: int, device: int) -> Pictures:
    draws = stream(population, PICTURES, seed=seed, device=device)
    scenery = draw_scenery(owner.roll.moments, draws)
    return render(owner.roll, scenery, side=side, generator=draws)


def _library(
    owner: Owner, population: int, pictures: Pictures, *, seed: int, device: int
) -> Library:
    roll = owner.roll
    choices = stream(population, FEEDBACK, seed=seed, device=device)
    feedback = draw_feedback(owner.taste.utility(roll), roll, choices)
    bounds = np.searchsorted(roll.moment_of, np.arange(roll.moments + 1))
    gain = owner.expected_gain()
    moments = tuple(
        Moment(
            number=number,
            photos=pictures.photos[first:last],
            bursts=roll.bursts[first:last],
            feedback=feedback[first:last],
            expected_gain=gain[first:last],
        )
        for number, (first, last) in enumerate(pairwise(bounds))
    )
    return Library(device=device, moments=moments, skipped={})
