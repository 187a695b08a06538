"""A cap that hardly ever cuts, by coupling: a second way to account for it."""

import math

from privacy.accounting import rdp
from privacy.sampling.capped import CappedPoissonSampling

# Beyond it e^ε nears the end of float64, 2^1024, and no δ holds a cut.
LARGEST_EPSILON = math.log(2.0**1000)


def epsilon(
    sampling: CappedPoissonSampling, *, noise_multiplier: float, rounds: int, delta: float
) -> float:
    """Returns a bound on ε by Rényi accounting at whole orders, without looking at the cap.

    Without the cap a round is Poisson sampling: its ε at half of δ, where the other half holds
    what the cap can add, and infinity elsewhere.

    Args:
        sampling: Who takes part in a round, by a secret coin.
        noise_multiplier: Noise over the largest norm.
        rounds: Composed rounds, whose results are all seen.
        delta: The δ of the guarantee.
    """
    found = rdp.epsilon(
        rate=sampling.rate,
        noise_multiplier=noise_multiplier,
        steps=rounds,
        delta=delta / 2,
        orders=rdp.WHOLE_ORDERS,
    )
    lost = lost_to_cuts(found, rounds=rounds, overflow=sampling.overflow)
    return found if lost <= delta / 2 else math.inf


def lost_to_cuts(epsilon: float, *, rounds: int, overflow: float) -> float:
    """Returns what a cap that cuts with probability ``overflow`` a round can add to δ at ε.

    With and without the cap a run is the same but for an event of probability
    rounds · overflow, so (ε, δ) of the one is (ε, δ + (1 + e^ε) · rounds · overflow) of the
    other. By hand, ε = ln 3, ten rounds and one cut in 100: (1 + 3) · 10 / 100.

    >>> round(lost_to_cuts(math.log(3), rounds=10, overflow=0.01), 9)
    0.4
    """
    if not epsilon < LARGEST_EPSILON:
        return 0.0 if overflow == 0 else math.inf
    return (1 + math.exp(epsilon)) * rounds * overflow
