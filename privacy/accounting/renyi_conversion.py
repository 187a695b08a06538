"""From Rényi divergences to ε."""

import math
from collections.abc import Mapping

import numpy as np

# Relative. What float64 rounds is far less; without it ε could end below the exact one.
ROUND_UP = 1 + 1e-9
# Nearer to 1 the terms of proposition 12 cancel, and the total variation is the better bound.
LEAST_ORDER = 1.01


def epsilon(divergences: Mapping[int, float] | Mapping[float, float], *, delta: float) -> float:
    """Returns the least ε that the divergences allow, rounded up in the ninth place.

    The least over the orders α of D_α + ln(1 - 1/α) - ln(δ α) / (α - 1), proposition 12 of
    Canonne, Kamath and Steinke 2020. By hand, a divergence of 3 at order 2: 3 - ln 2 - ln 2δ,
    which at δ = e⁻⁴ / 4 is 7.

    >>> round(epsilon({2.0: 3.0}, delta=math.exp(-4) / 4), 6)
    7.0

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

    The least over the orders of e^((α - 1) (D_α - ε)) (1 - 1/α)^(α - 1) / α, proposition 12 of
    Canonne, Kamath and Steinke 2020, and of √(1 - e^(-D_α)), which bounds the total
    variation whatever ε (Bretagnolle and Huber 1979). By hand, a divergence of 3 at order 2:
    e⁻⁴ / 4 at ε = 7, and √(1 - e⁻³) at ε = 0.

    >>> found = [delta({2.0: 3.0}, epsilon=7.0), delta({2.0: 3.0}, epsilon=0.0)]
    >>> [round(found[0], 8), round(found[1], 6)]
    [0.00457891, 0.974789]

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
