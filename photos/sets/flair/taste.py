"""The simulated tastes of FLAIR's users: the set says what is on a photo, and not who likes it.

Nothing here was given by a person. A population of such tastes can show how training copes with
owners who differ; it cannot show that a model ranks photos as people would.
"""

import hashlib
import struct
from collections.abc import Sequence
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray

from photos.library import Feedback
from photos.sets.flair.labels import LABELS

Weights = NDArray[np.float64]

STEEPNESS = 2.0
"""Logits of a unit of utility: a deviation of 1 multiplies the odds by 7. At 0 feedback is a
coin; without bound it would be the taste itself, without noise."""
FAVOURITE_FROM, KEPT_FROM = 1.0, -1.0
"""Utilities at which a photo is a favourite, and is not deleted, half of the time. Utilities of
a common taste have a deviation of 1: nearly one photo in four is a favourite. Far from 0 all
feedback would be alike, and no moment would have an order."""


def weights(*, seed: int, user: str, heterogeneity: float) -> Weights:
    """Returns [labels] a user's weights: the population's own, and theirs around them.

    Both are standard normal, the user's times ``heterogeneity``. They follow from the seed and
    the user's name: no other user changes them.
    """
    common = _generator("common", seed, "").standard_normal(len(LABELS))
    own = _generator("own", seed, user).standard_normal(len(LABELS))
    mixed: Weights = common + heterogeneity * own
    return mixed


def utility(places: Sequence[int], liked: Weights) -> float:
    """Returns a photo's utility: the sum of its labels' weights over the root of their number.

    So the utility of many labels varies as much as that of one.

    >>> utility((0, 1), np.array([1.0, 3.0, 9.0])) == 4 / sqrt(2)
    True
    """
    return float(liked[list(places)].sum()) / sqrt(len(places))


def feedback(value: float, *, seed: int, user: str, photo: str) -> Feedback:
    """Returns what a user did with a photo of utility ``value``; its coin is the photo's own.

    Favourite with probability σ(2 (u − 1)), else kept with σ(2 (u + 1)), else deleted.
    """
    first, second = _generator("coins", seed, f"{user}\0{photo}").random(2)
    if first < _sigmoid(STEEPNESS * (value - FAVOURITE_FROM)):
        return Feedback.FAVOURITE
    kept = second < _sigmoid(STEEPNESS * (value - KEPT_FROM))
    return Feedback.KEEP if kept else Feedback.DELETE


def _sigmoid(value: float) -> float:
    return 1 / (1 + exp(-value))


def _generator(purpose: str, seed: int, name: str) -> np.random.Generator:
    text = struct.pack("<Q", seed) + f"{purpose}\0{name}".encode(errors="surrogatepass")
    digest = hashlib.blake2b(text, digest_size=32, person=b"darkroom flair").digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))
