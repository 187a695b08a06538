"""From Rényi divergences to ε."""

from collections.abc import Mapping

import numpy as np

ROUND_UP = 1 + 1e-9


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
