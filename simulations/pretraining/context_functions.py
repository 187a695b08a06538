"""What a public taste may like of a photo among the others of its moment.

Nobody knows what a private population likes, so the list model is trained for many families of
functions, of which every moment has its own few.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from photos.synthetic import feedback as made
from photos.synthetic.attributes import NAMES

OWN = len(NAMES)
"""Features that a photo has by itself: its attributes."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Facts:
    """What is in the photos of some moments.

    Attributes:
        attributes: [moments, photos, 10] float32; 0 where padded.
        bursts: [moments, photos] int64 burst inside the moment.
        where: [moments, photos] bool.
    """

    attributes: Tensor
    bursts: Tensor
    where: Tensor

    def centred(self) -> Tensor:
        """[moments, photos, 10] attributes less their moment's mean; 0 where padded."""
        there = self.where.unsqueeze(-1)
        mean = self.attributes.sum(1, keepdim=True) / there.sum(1, keepdim=True)
        centred: Tensor = (self.attributes - mean) * there
        return centred

    def pairs(self) -> Tensor:
        """[moments, photos, photos] bool: two different photos of a moment."""
        both = self.where.unsqueeze(1) & self.where.unsqueeze(2)
        return both & ~torch.eye(self.where.shape[1], dtype=torch.bool)

    def together(self) -> Tensor:
        """[moments, photos, photos] bool: photos of one burst, each with itself too."""
        both = self.where.unsqueeze(1) & self.where.unsqueeze(2)
        return both & (self.bursts.unsqueeze(1) == self.bursts.unsqueeze(2))


def distance(facts: Facts) -> Tensor:
    """[moments, photos, 1] Euclidean distance from the moment's mean."""
    found: Tensor = facts.centred().norm(dim=-1, keepdim=True)
    return found


def deviation(facts: Facts) -> Tensor:
    """[moments, photos, 10] absolute deviation from the moment's mean, for each attribute."""
    return facts.centred().abs()


def rank(facts: Facts) -> Tensor:
    """[moments, photos, 10] share of the others that have less of an attribute, less a half."""
    less = facts.attributes.unsqueeze(1) < facts.attributes.unsqueeze(2)
    pairs = facts.pairs()
    below = (less & pairs.unsqueeze(-1)).sum(2)
    share: Tensor = below / pairs.sum(2).clamp(min=1).unsqueeze(-1)
    return share - 0.5


def redundancy(facts: Facts) -> Tensor:
    """[moments, photos, 1] Euclidean distance to the most similar other photo."""
    apart = torch.cdist(facts.attributes, facts.attributes)
    nearest = apart.masked_fill(~facts.pairs(), torch.inf).amin(-1, keepdim=True)
    return nearest.where(nearest.isfinite(), torch.zeros(()))


def place_in_burst(facts: Facts) -> Tensor:
    """[moments, photos, 1] Euclidean distance from the mean of the photo's burst."""
    burst = facts.together().float()
    mean = burst @ facts.attributes / burst.sum(-1, keepdim=True).clamp(min=1)
    found: Tensor = (facts.attributes - mean).norm(dim=-1, keepdim=True)
    return found


@dataclass(frozen=True, slots=True)
class Family:
    """Functions of one kind.

    Attributes:
        values: Computes them.
        size: How many they are.
        scale: What one is multiplied with before a taste's weight: where there are ten of a
            kind, a taste likes each of them less.
    """

    values: Callable[[Facts], Tensor]
    size: int
    scale: float


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "distance": Family(distance, 1, 1.0),
        "deviation": Family(deviation, OWN, 0.35),
        "rank": Family(rank, OWN, 0.7),
        "redundancy": Family(redundancy, 1, 1.0),
        "place_in_burst": Family(place_in_burst, 1, 1.0),
    }
)
"""The scales keep ten functions from being much stronger than the one of another family: what
a taste likes of deviations moves utilities within moments by 0.35, of ranks by 0.80, and of
each other family by 0.42 to 0.46 (root mean squares over 30 public devices)."""

CONTEXT = sum(family.size for family in FAMILIES.values())

KNOWN = tuple(accumulate((family.size for family in FAMILIES.values()), initial=0))
"""How many functions a list model may read: none, or those of the first so many families."""


def features(facts: Facts) -> Tensor:
    """Returns [moments, photos, 10 + 23]: attributes, then the functions of every family."""
    context = [family.scale * family.values(facts) for family in FAMILIES.values()]
    there = facts.where.unsqueeze(-1)
    return torch.cat([facts.attributes, *context], -1) * there


PRESENT = 0.5
"""Probability that a taste likes or dislikes a family at all."""

OWN_SPREAD = 0.17
"""Standard deviation of a weight about a direction drawn at random: an owner's own deviation,
as ``photos.synthetic.taste.PERSONAL`` over the root of ten."""


def draw_tastes(
    moments: int, *, generator: torch.Generator, without: frozenset[str] = frozenset()
) -> Tensor:
    """Returns [moments, 10 + 23] a fresh taste for each moment.

    Its own weights are a direction drawn at random and a deviation; the weights of each family
    are 0 as often as not, and standard normal otherwise.

    Args:
        moments: How many.
        generator: Draws them.
        without: Families that no taste knows.
    """
    own = torch.randn(moments, OWN, generator=generator)
    own = own / own.norm(dim=-1, keepdim=True)
    own = own + OWN_SPREAD * torch.randn(moments, OWN, generator=generator)
    parts = [own]
    for name, family in FAMILIES.items():
        liked = torch.rand(moments, 1, generator=generator) < PRESENT
        weights = torch.randn(moments, family.size, generator=generator) * liked
        parts.append(torch.zeros_like(weights) if name in without else weights)
    return torch.cat(parts, -1)


def expected_gain(utility: Tensor, facts: Facts) -> Tensor:
    """Returns [moments, photos] the expected gain of ``utility`` [moments, photos].

    The same as ``photos.synthetic.feedback.expected_gain``, for padded moments.
    """
    strength = torch.exp((utility / made.TEMPERATURE).double()) * facts.where
    total = (facts.together().double() @ strength.unsqueeze(-1)).squeeze(-1)
    favourite = strength / (total + float(np.exp(made.FAVOURITE_UTILITY / made.TEMPERATURE)))
    kept = (1 - favourite) * torch.sigmoid(made.KEEP_SLOPE * (utility - made.KEEP_UTILITY))
    gain = made.FAVOURITE_GAIN * favourite + made.KEEP_GAIN * kept
    return (gain * facts.where).float()
