"""From Rényi divergences to ε."""

import math
from collections.abc import Mapping

import numpy as np

ROUND_UP = 1 + 1e-9
# Nearer to 1 the terms of proposition 12 cancel, and the total variation is the better bound.
LEAST_ORDER = 1.01


def epsilon(divergences: Mapping[int, float] | Mapping[float, float], *, delta: float) -> float:
    """Returns the least ε that the divergences allow, rounded up in the ninth place.

    Proposition 12 of Canonne, Kamath and Steinke 2020.

    Args:
        divergences: For each order above 1 a bound on the divergence in both directions.
        delta: The δ of the guarantee.
    """
    order = np.array(list(divergences), np.float64)
    divergence = np.array(list(divergences.values()))
    bounds = divergence + np.log1p(-1 / order) - (np.log(delta) + np.log(order)) / (order - 1)
    return max(0.0, float(bounds.min())) * ROUND_UP


def delta(divergences: Mapping[int, float] | Mapping[float, float], *, epsilon: float) -> float:
    """Returns the least δ at ``epsilon`` that the divergences allow.

    Proposition 12 of Canonne, Kamath and Steinke 2020 or, whatever ε, the bound of a divergence
    on the total variation (Bretagnolle and Huber 1979).

    Args:
        divergences: For each order above 1 a bound on the divergence in both directions.
        epsilon: Not negative.
    """
    order = np.array(list(divergences), np.float64)
    found = np.array(list(divergences.values()))
    usable = order > LEAST_ORDER
    above = order[usable] - 1
    renyi = above * (found[usable] - epsilon + np.log1p(-1 / order[usable]))
    renyi -= np.log(order[usable])
    with np.errstate(divide="ignore"):
        variation = 0.5 * np.log(-np.expm1(-found))
    least = min(0.0, float(renyi.min(initial=0.0)), float(variation.min()))
    return min(1.0, math.exp(least) * ROUND_UP)
