"""A device without its pixels: what its owner photographed and how they like each photo."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photos.synthetic.attributes import Roll, draw_roll
from photos.synthetic.feedback import expected_gain
from photos.synthetic.settings import SyntheticPhotos
from photos.synthetic.streams import PRIVATE, PUBLIC, ROLL, TASTE, stream
from photos.synthetic.taste import Taste, personal, private_taste, public_taste


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Owner:
    """One device's owner.

    Attributes:
        roll: The latent facts of the photos.
        common: The taste of the population.
        taste: The owner's.
    """

    roll: Roll
    common: Taste
    taste: Taste

    def expected_gain(self) -> NDArray[np.float64]:
        """[photos] expected gain of each photo."""
        return expected_gain(self.taste.utility(self.roll), self.roll)


def private_owner(photos: SyntheticPhotos, *, seed: int, device: int) -> Owner:
    """Returns the owner of a device of the private population."""
    return _owner(PRIVATE, private_taste(photos), seed=seed, device=device)


def public_owner(*, seed: int, device: int) -> Owner:
    """Returns the owner of a device of the public split."""
    return _owner(PUBLIC, public_taste(), seed=seed, device=device)


def _owner(population: int, common: Taste, *, seed: int, device: int) -> Owner:
    return Owner(
        roll=draw_roll(stream(population, ROLL, seed=seed, device=device)),
        common=common,
        taste=personal(common, stream(population, TASTE, seed=seed, device=device)),
    )
