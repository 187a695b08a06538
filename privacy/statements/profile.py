"""The privacy profile: δ at other ε than the promised one, and what it says of an attack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from privacy.accounting import analytic_gaussian, pld, rdp, renyi_conversion
from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.dpsgd import DpSgd
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.mechanisms.unions import Mechanism
from privacy.sampling.crowds import alone, crowds

# Where δ is told, as far as they are below the promised ε: those of the tables.
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
    told = sorted({0.0, *(one for one in EPSILONS if one < promised), promised})
    epsilons = tuple(sorted({*told, *(share * promised for share in SHARES)}))
    found = dict(zip(epsilons, deltas(mechanism, times, epsilons=epsilons), strict=True))
    found[promised] = min(found[promised], mechanism.delta)
    return Profile(
        points=tuple((one, found[one]) for one in told),
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
    match mechanism:
        case DpSgd():
            steps = mechanism.steps * times
            return pld.deltas(
                alone(mechanism.sampling.rate),
                noise_multiplier=mechanism.effective_noise,
                steps=steps,
                epsilons=epsilons,
            )
        case IntegerDpSgd():
            return deltas(mechanism.accounted, times, epsilons=epsilons)
        case CohortGaussian() | AdaptiveGaussian():
            return pld.deltas(
                crowds(mechanism.sampling),
                noise_multiplier=mechanism.noise_multiplier,
                steps=times,
                epsilons=epsilons,
            )
        case BandedGaussian():
            turns = math.ceil(times / mechanism.bands)
            return deltas(mechanism.accounted, turns, epsilons=epsilons)
        case IntegerGaussian():
            return _integers(mechanism, times, epsilons)
        case CorrelatedGaussian() | LocalGaussian():
            reach = mechanism.reach(times) if times else 0.0
    return _unsampled(mechanism.noise_multiplier, reach, epsilons)


def _integers(
    mechanism: IntegerGaussian, times: int, epsilons: tuple[float, ...]
) -> list[float]:
    """By divergences of whole orders, which are all that is proven of integers."""
    found = rdp.divergences(
        crowds(mechanism.sampling),
        mechanism.noise_multiplier,
        steps=times,
        orders=rdp.WHOLE_ORDERS,
    )
    bounds = dict(zip(rdp.WHOLE_ORDERS, found.tolist(), strict=True))
    return [renyi_conversion.delta(bounds, epsilon=one) for one in epsilons]


def _unsampled(noise: float, reach: float, epsilons: tuple[float, ...]) -> list[float]:
    if reach == 0:
        return [0.0] * len(epsilons)
    return [analytic_gaussian.delta(one, noise=noise / reach) for one in epsilons]
