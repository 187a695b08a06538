"""What one device can meet in a round with a cap: how many others, and its own rate there."""

from __future__ import annotations

from functools import lru_cache

from scipy.stats import binom

from privacy.sampling.capped import CappedPoissonSampling

# Relative. The tails of a binomial come with some twelve digits: a rate is told no lower.
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
    the rate of the crowd. So a round is dominated by the pair that tells the crowd as well, and
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
    """
    devices, rate, cap = sampling.devices, sampling.rate, sampling.cap
    few = float(binom.cdf(cap - 2, devices - 1, rate))
    # one of those that fill the cohort, each as likely as another
    taken = cap / devices * float(binom.sf(cap - 1, devices, rate))
    left = (1 - rate) * float(binom.pmf(cap - 1, devices - 1, rate))
    nearly = taken + left
    last = min(1.0, taken / nearly * ROUND_UP) if nearly else 0.0
    return (few, rate), (nearly, last), (max(0.0, 1 - few - nearly), 0.0)
