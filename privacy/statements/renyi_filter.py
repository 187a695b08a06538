"""A limit on ε that holds also where each step is chosen by what was released before it.

Composed privacy loss distributions are no such limit: whoever picks the next terms by the
losses so far passes it (arXiv 2602.06756, 2602.15815). Rényi divergences at one order, fixed
before anything is shown, are one: they add up whatever is chosen (Feldman and Zrnic, arXiv
2008.11193), also where several interactions go on at a time (Haney et al., arXiv 2309.05901).
"""

import math
from collections.abc import Iterable
from functools import lru_cache

from privacy.accounting import rdp, renyi_conversion
from privacy.accounting.steps import Steps
from privacy.sampling.crowds import Crowds

LARGEST_ORDER = 512
"""Any order above 1 gives a bound; a sum of so many terms is still quick and exact enough."""


def keeps(steps: Iterable[Steps], *, epsilon: float, delta: float) -> bool:
    """Says whether all steps together are within a limit that was set before the first.

    Formal guarantee: whoever asks before each release, of all steps so far and those of the
    release, and releases only where this is True, has shown something (``epsilon``, ``delta``)-
    differentially private, whichever steps were chosen on the way by what was shown.

    Args:
        steps: All of them.
        epsilon: The limit, above 0.
        delta: The δ of the limit.
    """
    return spent(steps, epsilon=epsilon, delta=delta) <= epsilon


def spent(steps: Iterable[Steps], *, epsilon: float, delta: float) -> float:
    """Returns the ε that counts against a limit; it is larger than the composed one.

    Args:
        steps: Same as ``keeps``.
        epsilon: The limit, which fixes the order.
        delta: The δ of both.
    """
    at = order(epsilon, delta=delta)
    listed = [one for one in steps if one.times]
    if not listed:
        return 0.0
    total = sum(one.times * _of_step(one.crowds, one.noise, at) for one in listed)
    return renyi_conversion.epsilon({at: total}, delta=delta)


def order(epsilon: float, *, delta: float) -> int:
    """Returns the whole order that a limit fixes: about the best for Gaussian noise at it.

    ρα + ln(1/δ)/(α − 1) is least, and then ``epsilon``, at α = 1 + √L / (√(L + ε) − √L) with
    L = ln(1/δ).
    """
    root = math.sqrt(-math.log(delta))
    best = 1 + root / (math.sqrt(root**2 + epsilon) - root)
    return max(2, min(LARGEST_ORDER, round(best)))


@lru_cache(maxsize=4096)
def _of_step(crowds: Crowds, noise: float, at: int) -> float:
    return float(rdp.divergences(crowds, noise, steps=1, orders=(float(at),))[0])
