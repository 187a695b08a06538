"""What one device can meet in a round with a cap: how many others, and its own rate there."""

from __future__ import annotations

from functools import lru_cache

from privacy import deferred
from privacy.sampling.capped import CappedPoissonSampling

# Relative. The tails of a binomial come with some twelve digits: no rate is rounded below its
# own.
ROUND_UP = 1 + 1e-9

Crowds = tuple[tuple[float, float], ...]
"""Pairs of how likely a crowd is and the rate of the device in it; together one."""


def alone(rate: float) -> Crowds:
    """Returns the crowds of Poisson sampling without a cap: nobody else matters."""
    return ((1.0, rate),)


@lru_cache(maxsize=256)
def crowds(sampling: CappedPoissonSampling) -> Crowds:
    """Returns the crowds of others that one device can meet, and its rate in each.

    The three crowds are fewer than cap - 1 others, cap - 1 of them, and cap.

    Guarantee: let a round release the sum of its cohort's terms with noise, and let two
    populations differ in one device, whose term is v in the one and zero in the other. For
    every α > 0, in either direction, the hockey-stick divergence of the round is at most the
    mean over these crowds, with their probabilities, of that of Poisson sampling of v alone at
    the rate of the crowd. So a round is dominated by the pair that reveals the crowd, too, and
    rounds by as many such pairs (Zhu, Dong and Wang 2022, theorem 10).

    Why: the draw does not look at terms, so which others are in the cohort has one
    distribution in both populations. Given the others, the releases are N(s, σ²) and
    (1 - r) N(s, σ²) + r N(s + v, σ²), where s is the sum of the others' terms, which moves
    both alike, and r is the probability of the device given the others. By symmetry it depends
    on their number alone: it is ``sampling.rate`` while they are fewer than cap - 1, and 0
    where they are cap; where they are cap - 1 it is somewhat more, because others that were
    drawn may have been dropped. A hockey-stick divergence is jointly convex, as every
    f-divergence is, so the mixture over the others is at most the mean. The same holds for the
    moments of Rényi accounting.

    By hand, two devices with fair coins and one place: each has the place in 3/8 of rounds and
    nobody in 1/4. So one device meets nobody in 5/8, and takes part in 3/5 of these.

    >>> sampling = CappedPoissonSampling(devices=2, rate=0.5, cap=1)
    >>> [(round(weight, 6), round(rate, 6)) for weight, rate in crowds(sampling)]
    [(0.0, 0.5), (0.625, 0.6), (0.375, 0.0)]
    """
    devices, rate, cap = sampling.devices, sampling.rate, sampling.cap
    few = float(deferred.stats.binom.cdf(cap - 2, devices - 1, rate))
    # one of those that fill the cohort, each as likely as another
    taken = cap / devices * float(deferred.stats.binom.sf(cap - 1, devices, rate))
    left = (1 - rate) * float(deferred.stats.binom.pmf(cap - 1, devices - 1, rate))
    nearly = taken + left
    last = min(1.0, taken / nearly * ROUND_UP) if nearly else 0.0
    return (few, rate), (nearly, last), (max(0.0, 1 - few - nearly), 0.0)
