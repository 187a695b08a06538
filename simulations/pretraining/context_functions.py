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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Facts:
    """What is in the photos of some moments.

    Attributes:
        attributes: [moments, photos, own] float32; 0 where padded.
        bursts: [moments, photos] int64 burst inside the moment.
        where: [moments, photos] bool.
    """

    attributes: Tensor
    bursts: Tensor
    where: Tensor

    @property
    def own(self) -> int:
        """Features that a photo has by itself: its attributes."""
        return self.attributes.shape[-1]

    def centred(self) -> Tensor:
        """[moments, photos, own] attributes less their moment's mean; 0 where padded."""
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
    """[moments, photos, own] absolute deviation from the moment's mean, for each attribute."""
    return facts.centred().abs()


def rank(facts: Facts) -> Tensor:
    """[moments, photos, own] share of the others with less of an attribute, less a half."""
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
        of_each: Whether there is one for each attribute, instead of one in all.
        scale: What one is multiplied with before a taste's weight: where there are ten of a
            kind, a taste likes each of them less.
    """

    values: Callable[[Facts], Tensor]
    of_each: bool
    scale: float

    def size(self, own: int) -> int:
        """Returns how many they are of photos with ``own`` attributes."""
        return own if self.of_each else 1


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "distance": Family(distance, of_each=False, scale=1.0),
        "deviation": Family(deviation, of_each=True, scale=0.35),
        "rank": Family(rank, of_each=True, scale=0.7),
        "redundancy": Family(redundancy, of_each=False, scale=1.0),
        "place_in_burst": Family(place_in_burst, of_each=False, scale=1.0),
    }
)
"""The scales keep ten functions from being much stronger than the one of another family: what
a taste likes of deviations moves utilities within moments by 0.35, of ranks by 0.80, and of
each other family by 0.42 to 0.46 (root mean squares over 30 public devices)."""


def known(own: int) -> tuple[int, ...]:
    """Returns how many functions a list model may read: none, or those of the first families.

    Args:
        own: Attributes of a photo.
    """
    return tuple(accumulate((one.size(own) for one in FAMILIES.values()), initial=0))


def features(facts: Facts) -> Tensor:
    """Returns [moments, photos, own + context]: attributes, then each family's functions."""
    context = [family.scale * family.values(facts) for family in FAMILIES.values()]
    there = facts.where.unsqueeze(-1)
    return torch.cat([facts.attributes, *context], -1) * there


PRESENT = 0.5
"""Probability that a taste likes or dislikes a family at all."""

OWN_SPREAD = 0.17
"""Standard deviation of a weight about a direction drawn at random: an owner's own deviation,
as ``photos.synthetic.taste.PERSONAL`` over the root of ten."""


def draw_tastes(
    moments: int,
    *,
    own: int,
    generator: torch.Generator,
    without: frozenset[str] = frozenset(),
) -> Tensor:
    """Returns [moments, own + context] a fresh taste for each moment.

    Its own weights are a direction drawn at random and a deviation; the weights of each family
    are 0 as often as not, and standard normal otherwise.

    Args:
        moments: How many.
        own: Attributes of a photo.
        generator: Draws them.
        without: Families that no taste knows.
    """
    common = torch.randn(moments, own, generator=generator)
    common = common / common.norm(dim=-1, keepdim=True)
    parts = [common + OWN_SPREAD * torch.randn(moments, own, generator=generator)]
    for name, family in FAMILIES.items():
        liked = torch.rand(moments, 1, generator=generator) < PRESENT
        weights = torch.randn(moments, family.size(own), generator=generator) * liked
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
