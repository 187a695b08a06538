"""The Gaussian mechanism without sampling: ε in closed form (Balle and Wang 2018)."""

import math

from scipy.optimize import brentq
from scipy.special import log_ndtr

LARGEST = 1e6
# Noise below it has an ε over 10^11, and its square vanishes.
LEAST = 1e-6
TOLERANCE = 1e-12
ROUND_UP = 1 + 1e-9


def delta(epsilon: float, *, noise: float) -> float:
    """Returns the exact δ at ``epsilon`` of noise that many times its sensitivity.

    Theorem 8: Φ(1/2s − εs) − e^ε Φ(−1/2s − εs) with s the noise over the sensitivity.
    """
    left = log_ndtr(0.5 / noise - epsilon * noise)
    right = epsilon + log_ndtr(-0.5 / noise - epsilon * noise)
    return math.exp(left) * -math.expm1(min(right - left, 0.0))


def epsilon(noise: float, *, delta: float) -> float:
    """Returns the ε of Gaussian noise, rounded up in the ninth place.

    Args:
        noise: Standard deviation over the L2 sensitivity of all that is released; k releases of
            one kind have √k times the sensitivity of one. Below 1e-6 it gives infinity.
        delta: The δ of the guarantee.
    """
    if noise < LEAST:
        return math.inf

    def excess(found: float) -> float:
        return _delta(found, noise=noise) - delta

    if excess(0.0) <= 0:
        return 0.0
    # Enough by the tail of the privacy loss, which is N(1/2s², 1/s²).
    highest = 0.5 / noise**2 + math.sqrt(2 * math.log(1 / delta)) / noise + 1
    return float(brentq(excess, 0.0, highest, xtol=TOLERANCE)) * ROUND_UP + TOLERANCE


def noise(target: float, *, delta: float) -> float:
    """Returns the least noise over the sensitivity whose ε is at most ``target``.

    Args:
        target: The promised ε, above 0.
        delta: The δ of the guarantee.
    """

    def excess(logarithm: float) -> float:
        return _delta(target, noise=math.exp(logarithm)) - delta

    span = math.log(LARGEST)
    return math.exp(float(brentq(excess, -span, span, xtol=TOLERANCE))) * ROUND_UP


_delta = delta
