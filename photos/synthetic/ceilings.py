"""Named orders of a synthetic library: what is the least and the most a ranker can reach."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from photos.synthetic.attributes import Roll, draw_roll
from photos.synthetic.owner import Owner, private_owner
from photos.synthetic.settings import SyntheticPhotos
from photos.synthetic.taste import public_taste, standing_out

FITTING_SEED = 0xF177
"""Seed of the devices on which the weights are fitted, so that they are devices of no run."""

FITTING_DEVICES = 120
"""Devices of that fit. With four other seeds its two weights are 0.07 to 0.14 and 0.028 to
0.039; of 30 devices they are 0.07 to 0.27 and 0.010 to 0.039."""

Floats = NDArray[np.float64]


def ceiling_scores(
    photos: SyntheticPhotos, *, seed: int, device: int
) -> dict[str, tuple[Floats, ...]]:
    """Returns the scores of every named order, for each moment of a device.

    * ``random``: all photos alike;
    * ``chronological``: the first taken first;
    * ``public taste``: the public split's common taste, applied without error;
    * ``global taste``: the private population's common taste, without error, liking of what
      stands out included;
    * ``univariate oracle``: the best that can be said of a photo by itself, knowing its owner:
      utility, with how far the photo stands out replaced by what its own attributes make
      likely;
    * ``Bayes``: the expected gain itself, by which no order is better on average.
    """
    owner = private_owner(photos, seed=seed, device=device)
    roll = owner.roll
    first = np.searchsorted(roll.moment_of, roll.moment_of)
    scores = {
        "random": np.zeros(len(first)),
        "chronological": -(np.arange(len(first)) - first).astype(np.float64),
        "public taste": public_taste().utility(roll),
        "global taste": owner.common.utility(roll),
        "univariate oracle": _own_utility(owner),
        "Bayes": owner.expected_gain(),
    }
    bounds = np.searchsorted(roll.moment_of, np.arange(1, roll.moments))
    return {name: tuple(np.split(values, bounds)) for name, values in scores.items()}


def _own_utility(owner: Owner) -> Floats:
    """[photos] expected utility of a photo of which nothing else of its moment is known."""
    likely = _extremeness(owner.roll) @ _extremeness_weights()
    return np.asarray(owner.taste.own_utility(owner.roll) + owner.taste.context * likely)


@lru_cache(maxsize=1)
def _extremeness_weights() -> Floats:
    """[2] least squares of standing out on extremeness, within moments of other devices."""
    rolls = [
        draw_roll(np.random.default_rng([FITTING_SEED, number]))
        for number in range(FITTING_DEVICES)
    ]
    facts = [roll.within_moments(_extremeness(roll)) for roll in rolls]
    outcomes = [roll.within_moments(standing_out(roll)[:, None])[:, 0] for roll in rolls]
    weights: Floats = np.linalg.lstsq(np.concatenate(facts), np.concatenate(outcomes))[0]
    return weights


def _extremeness(roll: Roll) -> Floats:
    """[photos, 2] the attributes' length and its square.

    Attributes are alike and independent, so that no other fact of theirs says more.
    """
    length = np.linalg.norm(roll.attributes, axis=1)
    return np.stack([length, length**2], axis=1)
