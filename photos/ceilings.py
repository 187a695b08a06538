"""Named orders of a synthetic library: what is the least and the most a ranker can reach."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from photos.settings import Photos
from photos.synthetic import Owner, private_owner
from photos.taste import public_taste

FITTING_SEED = 0xF177
FITTING_DEVICES = 120
Floats = NDArray[np.float64]


def ceiling_scores(photos: Photos, *, seed: int, device: int) -> dict[str, tuple[Floats, ...]]:
    """Returns the scores of every named order, for each moment of a device.

    * ``random``: all photos alike;
    * ``chronological``: the first taken first;
    * ``public taste``: the public split's common taste, applied without error;
    * ``global taste``: the private population's common taste, without error, liking of what
      stands out included;
    * ``univariate oracle``: the best that can be said of a photo by itself, knowing its owner:
      expected gain regressed on the owner's own utility of it and on its attributes, linear and
      squared, over other devices;
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
        "univariate oracle": _own_facts(owner) @ _fitted(photos),
        "Bayes": owner.expected_gain(),
    }
    bounds = np.searchsorted(roll.moment_of, np.arange(1, roll.moments))
    return {name: tuple(np.split(values, bounds)) for name, values in scores.items()}


@lru_cache(maxsize=8)
def _fitted(photos: Photos) -> Floats:
    """[facts] least squares over devices of a seed of their own."""
    owners = [
        private_owner(photos, seed=FITTING_SEED, device=number)
        for number in range(FITTING_DEVICES)
    ]
    facts = np.concatenate([_own_facts(owner) for owner in owners])
    gains = np.concatenate([owner.expected_gain() for owner in owners])
    weights: Floats = np.linalg.lstsq(facts, gains)[0]
    return weights


def _own_facts(owner: Owner) -> Floats:
    """[photos, facts] what a photo is by itself, and how its owner likes it."""
    liked = owner.taste.own_utility(owner.roll)[:, None]
    attributes = owner.roll.attributes
    squares = attributes**2
    bent = np.tanh(liked)
    return np.concatenate(
        [np.ones_like(liked), liked, liked**2, bent, attributes, squares], axis=1
    )
