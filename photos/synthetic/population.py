"""The procedural population: each device is a function of the seed and its number alone."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from photos.library import Library, Moment
from photos.settings import Photos
from photos.synthetic.attributes import Roll, draw_roll
from photos.synthetic.feedback import draw_feedback, expected_gain
from photos.synthetic.renderer import draw_scenery, render
from photos.synthetic.taste import Taste, personal, private_taste, public_taste

PRIVATE, PUBLIC = 1, 2
ROLL, TASTE, FEEDBACK, PICTURES = range(4)
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Owner:
    """One device without its pixels: what was photographed and how much each photo is liked.

    Attributes:
        roll: The latent facts of the photos.
        common: The taste of the population.
        taste: The owner's.
    """

    roll: Roll
    common: Taste
    taste: Taste

    def expected_gain(self) -> Floats:
        """[photos] expected gain of each photo."""
        return expected_gain(self.taste.utility(self.roll), self.roll)


@dataclass(frozen=True, slots=True)
class SyntheticSource:
    """The libraries of a population; none is kept.

    Attributes:
        settings: The population.
        seed: The run's seed.
    """

    settings: Photos
    seed: int

    @property
    def devices(self) -> int:
        """Devices that may train."""
        if self.settings.devices is None:
            raise ValueError("photos.devices is needed where photos.source=synthetic.")
        return self.settings.devices

    @property
    def held_out_devices(self) -> int:
        """Devices that never train, numbered after those."""
        return self.settings.held_out_devices

    def library(self, device: int) -> Library:
        """Makes the library of one device: the same bytes in any process and order."""
        return library(self.settings, seed=self.seed, device=device)


def library(photos: Photos, *, seed: int, device: int) -> Library:
    """Returns a device's library in the private population."""
    owner = private_owner(photos, seed=seed, device=device)
    return _library(owner, photos.side, entropy=(PRIVATE, seed, device))


def public_library(photos: Photos, *, seed: int, device: int) -> Library:
    """Returns a device's library in the public split, which shares no device with any run."""
    owner = public_owner(seed=seed, device=device)
    return _library(owner, photos.side, entropy=(PUBLIC, seed, device))


def private_owner(photos: Photos, *, seed: int, device: int) -> Owner:
    """Returns a device of the private population without its pixels."""
    return _owner(private_taste(photos), entropy=(PRIVATE, seed, device))


def public_owner(*, seed: int, device: int) -> Owner:
    """Returns a device of the public split without its pixels."""
    return _owner(public_taste(), entropy=(PUBLIC, seed, device))


def _owner(common: Taste, *, entropy: tuple[int, int, int]) -> Owner:
    return Owner(
        roll=draw_roll(_generator(*entropy, ROLL)),
        common=common,
        taste=personal(common, _generator(*entropy, TASTE)),
    )


def _library(owner: Owner, side: int, *, entropy: tuple[int, int, int]) -> Library:
    roll = owner.roll
    pictures = _generator(*entropy, PICTURES)
    pixels = render(roll, draw_scenery(roll.moments, pictures), side=side, generator=pictures)
    feedback = draw_feedback(owner.taste.utility(roll), roll, _generator(*entropy, FEEDBACK))
    bounds = np.searchsorted(roll.moment_of, np.arange(roll.moments + 1))
    gain = owner.expected_gain()
    moments = tuple(
        Moment(
            number=number,
            photos=pixels[first:last],
            bursts=roll.bursts[first:last],
            feedback=feedback[first:last],
            expected_gain=gain[first:last],
        )
        for number, (first, last) in enumerate(pairwise(bounds))
    )
    return Library(device=entropy[-1], moments=moments, skipped={})


def _generator(*entropy: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(entropy))
