"""The Gaussian mechanism without sampling: ε in closed form (Balle and Wang 2018)."""

import math

from privacy import deferred

# Noise over the sensitivity: ``noise`` searches from 1 / LARGEST to it, which holds an ε of
# 1e-5 at δ = 1e-12 (458,412). From 1e-200 to 1e200 the search fails, for terms of δ are NaN
# there.
LARGEST = 1e6
# Noise over the sensitivity. Below it ε is over 10^11 and counts as infinite: far below, its
# square is 0 in float64 and divides.
LEAST = 1e-6
# How near Brent's method comes to ε, and to the logarithm of noise. At 1e-6 ε misses the
# published figure.
TOLERANCE = 1e-12
# Relative, above what Brent's method leaves. Without it ε could end below the exact one.
ROUND_UP = 1 + 1e-9


def delta(epsilon: float, *, noise: float) -> float:
    """Returns the exact δ at ``epsilon`` of noise that many times its sensitivity.

    Theorem 8: Φ(1/2s − εs) − e^ε Φ(−1/2s − εs) with s the noise over the sensitivity. At ε = 0
    it is the total variation, 2Φ(1/2s) − 1: 0.6827 of noise ½, as one deviation holds 68%.

    >>> round(delta(0.0, noise=0.5), 4)
    0.6827
    """
    left = deferred.special.log_ndtr(0.5 / noise - epsilon * noise)
    right = epsilon + deferred.special.log_ndtr(-0.5 / noise - epsilon * noise)
    return math.exp(left) * -math.expm1(min(right - left, 0.0))


def epsilon(noise: float, *, delta: float) -> float:
    """Returns the ε of Gaussian noise, rounded up in the ninth place.

    The ε at which ``delta`` is δ. The figure is that of dp-accounting 0.6.0.

    >>> round(epsilon(1.0, delta=1e-5), 6)
    4.377178

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
    return (
        float(deferred.optimize.brentq(excess, 0.0, highest, xtol=TOLERANCE)) * ROUND_UP
        + TOLERANCE
    )


def noise(target: float, *, delta: float) -> float:
    """Returns the least noise over the sensitivity whose ε is at most ``target``.

    >>> round(noise(4.377178, delta=1e-5), 6)
    1.0

    Args:
        target: The promised ε, above 0.
        delta: The δ of the guarantee.
    """

    def excess(logarithm: float) -> float:
        return _delta(target, noise=math.exp(logarithm)) - delta

    span = math.log(LARGEST)
    return (
        math.exp(float(deferred.optimize.brentq(excess, -span, span, xtol=TOLERANCE)))
        * ROUND_UP
    )


_delta = delta
