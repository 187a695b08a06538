"""The privacy profile: δ at other ε than the promised one, and what it says of an attack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from privacy.mechanisms.base.mechanism import Mechanism

# Where δ is reported, as far as they are below the promised ε: those of the tables.
EPSILONS = (0.5, 1.0, 2.0, 4.0, 8.0)
# Of the promised ε: where else δ is looked at, for the trade-off curve alone.
SHARES = tuple(share / 16 for share in range(1, 16))
# The share of those who were not there and are named all the same, as audits report it.
FALSE_ALARMS = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What can be told apart, whatever is promised at one δ. Every figure is an upper bound.

    Attributes:
        points: ε from 0 to the promised one, ascending, and the δ at each: what was released is
            (ε, δ)-differentially private for every one of these pairs.
        right: How often who guesses whether the unit was there, where a fair coin decided, is
            right at most: (1 + δ(0)) / 2, for δ(0) is the total variation (Kairouz, Oh and
            Viswanath 2015).
        caught: The largest share of those who were there whom an attack can name that wrongly
            names ``FALSE_ALARMS`` of those who were not.
    """

    points: tuple[tuple[float, float], ...]
    right: float
    caught: float


@lru_cache(maxsize=64)
def of(mechanism: Mechanism, times: int) -> Profile | None:
    """Returns the profile of a mechanism after so many rounds or visits; None without noise.

    Args:
        mechanism: What ran. Of a choice among several runs no profile is known.
        times: Rounds, or visits of a device.
    """
    promised = mechanism.epsilon(times)
    if math.isinf(promised):
        return None
    reported = sorted({0.0, *(one for one in EPSILONS if one < promised), promised})
    epsilons = tuple(sorted({*reported, *(share * promised for share in SHARES)}))
    found = dict(zip(epsilons, deltas(mechanism, times, epsilons=epsilons), strict=True))
    found[promised] = min(found[promised], mechanism.delta)
    return Profile(
        points=tuple((one, found[one]) for one in reported),
        right=(1 + found[0.0]) / 2,
        caught=min(_caught(epsilon, delta) for epsilon, delta in found.items()),
    )


def _caught(epsilon: float, delta: float) -> float:
    """The largest share that (ε, δ) allows, of both errors (Wasserman and Zhou 2010)."""
    named = math.exp(min(epsilon, math.log(1 / FALSE_ALARMS))) * FALSE_ALARMS + delta
    missed = math.exp(-epsilon) * (1 - delta - FALSE_ALARMS)
    return min(1.0, named, 1 - max(0.0, missed))


def deltas(mechanism: Mechanism, times: int, *, epsilons: tuple[float, ...]) -> list[float]:
    """Returns upper bounds on δ at each ε, by the accountant of the mechanism.

    Args:
        mechanism: What runs, with noise.
        times: Rounds, or visits of a device.
        epsilons: Not negative.
    """
    return mechanism.steps_of(times).deltas(epsilons)
