"""From two distributions to privacy losses on the dots of a grid, so that δ is never lower."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from privacy import deferred
from privacy.losses.loss_distribution import LARGEST, LossDistribution

# Of the noise, on either side: what lies beyond counts as an infinite loss, 1e-21 of a step.
# Fewer, and a small δ is used up; more, and the grid is longer for nothing.
DEVIATIONS = 9.5
Floats = NDArray[np.float64]


def on_dots(p: Floats, q: Floats, dots: Floats, *, interval: float) -> LossDistribution:
    """Returns the losses of P against Q, given to the dots of a grid.

    Guarantee: δ is nowhere lower on the dots, of one step and of many.

    Why: the outputs whose loss is between two dots of the grid have a probability p under P
    and r under Q. All of it is given to the two dots: u + v = p of P, and
    u·e^(−low) + v·e^(−high) = r of Q. This spreads the ratio of P to Q and keeps its mean. So P
    and Q can be made from the pair on the dots by a random choice that does not look at which
    of the two it is (Blackwell 1953), and all steps from as many such pairs: δ is nowhere lower
    on the dots. It is the pair that connects the dots of the curve of δ (Doroshenko et al.,
    arXiv 2207.04380). Beyond the last dot an infinite loss is the second of the two; below the
    first dot all is rounded up to it.

    Args:
        p: [dots + 1] probabilities of P of losses below, between and above the dots; where they
            are less than one together, the rest is the caller's.
        q: [dots + 1] those of Q, or less.
        dots: [dots] ascending multiples of ``interval``.
        interval: Width of the grid.
    """
    p_of_dots = np.exp(np.minimum(dots, LARGEST))
    higher = (p[1:-1] - q[1:-1] * p_of_dots[:-1]) / -math.expm1(-interval)
    higher = np.clip(higher, 0, p[1:-1])
    masses = np.zeros_like(dots)
    masses[:-1] = p[1:-1] - higher
    masses[1:] += higher
    masses[0] += p[0]
    last = min(float(p[-1]), float(q[-1] * p_of_dots[-1]))
    masses[-1] += last
    with np.errstate(divide="ignore"):
        logarithms = np.log(masses)
    return LossDistribution(
        interval=interval, losses=dots, logarithms=logarithms, infinite=float(p[-1]) - last
    )


def between(borders: Floats) -> Floats:
    """Returns the probabilities of a standard normal below, between and above borders.

    Args:
        borders: [borders] ascending; minus infinity is one too.

    >>> between(np.array([0.0, 1.0])).round(4).tolist()
    [0.5, 0.3413, 0.1587]
    """
    tails = deferred.special.ndtr(-np.abs(borders))
    tails = np.concatenate([[0.0], np.where(borders > 0, -tails, tails), [0.0]])
    masses: Floats = np.diff(tails)
    masses[np.count_nonzero(borders <= 0)] += 1
    return masses
