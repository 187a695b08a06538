"""Rényi accounting of the Poisson-subsampled Gaussian: written here, as a second opinion."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from privacy import deferred
from privacy.accounting import renyi_conversion
from privacy.sampling.crowds import Crowds, alone

# Where ε is small the best order is about 2 ln(1/δ) / ε: these, from 64 to 16384 by a quarter
# of a power of two, reach down to an ε of 0.002. Without them a small ε is reported as a larger
# one.
HIGH = tuple(float(round(64 * 2 ** (step / 4))) for step in range(33))
# Orders of closed forms alone, for searches: fractional ones take most of the time.
WHOLE_ORDERS: tuple[float, ...] = (*(float(order) for order in range(2, 64)), *HIGH)
# Opacus 1.6 has 1.1 to 10.9 by tenths and 12 to 63, too: the golden figures of tests are its.
ORDERS: tuple[float, ...] = (
    *(1 + x / 10 for x in range(1, 100)),
    *(float(order) for order in range(12, 64)),
    *HIGH,
)
# Over the sensitivity. Below it ε is over 10^10 and counts as infinite: far below, its square
# is 0 in float64 and divides.
LEAST_NOISE = 1e-6
# Relative, four units of the last place of float64, for each term of a logarithm. Without it
# the ε of many steps of next to no loss, and so of many roundings, could be reported too low.
ROUNDING = 4 * 2.0**-53
Floats = NDArray[np.float64]


def epsilon(
    *,
    rate: float,
    noise_multiplier: float,
    steps: int,
    delta: float,
    orders: tuple[float, ...] = ORDERS,
) -> float:
    """Returns an upper bound on ε from Rényi differential privacy.

    Args:
        rate: Probability of an example in a step.
        noise_multiplier: Standard deviation over the clipping norm.
        steps: Number of composed steps.
        delta: The δ of the guarantee.
        orders: Rényi orders to minimise over.
    """
    return crowded_epsilon(
        alone(rate), noise_multiplier=noise_multiplier, steps=steps, delta=delta, orders=orders
    )


def crowded_epsilon(
    crowds: Crowds,
    *,
    noise_multiplier: float,
    steps: int,
    delta: float,
    orders: tuple[float, ...] = ORDERS,
) -> float:
    """Returns an upper bound on ε where the rate of a step depends on who else is there.

    Args:
        crowds: What one can meet, as from ``crowds.crowds``.
        noise_multiplier: Standard deviation over the clipping norm.
        steps: Number of composed steps.
        delta: The δ of the guarantee.
        orders: Rényi orders to minimise over.
    """
    if steps == 0 or all(rate == 0 for _, rate in crowds):
        return 0.0
    found = divergences(crowds, noise_multiplier, steps=steps, orders=orders)
    bounds = dict(zip(orders, found.tolist(), strict=True))
    return renyi_conversion.epsilon(bounds, delta=delta)


def divergences(
    crowds: Crowds, noise_multiplier: float, *, steps: int, orders: tuple[float, ...] = ORDERS
) -> Floats:
    """Returns [orders] bounds on the divergence of so many steps, in either direction.

    By joint convexity the moments of a step are at most the mean over its crowds. An order
    whose series is lost to rounding bounds nothing: it is infinite.

    Args:
        crowds: What one can meet, as from ``crowds.crowds``.
        noise_multiplier: Standard deviation over the clipping norm; 0 gives infinity.
        steps: Number of composed steps; 0 gives zero.
        orders: Rényi orders above 1.
    """
    if steps == 0:
        return np.zeros(len(orders))
    if noise_multiplier < LEAST_NOISE:
        return np.full(len(orders), math.inf)
    order = np.array(orders)
    moments = [
        math.log(weight) + (order - 1) * _of_rate(rate, noise_multiplier, orders)
        for weight, rate in crowds
        if weight > 0
    ]
    found: Floats = steps * np.maximum(np.logaddexp.reduce(moments), 0) / (order - 1)
    return found


@lru_cache(maxsize=64)
def _of_rate(rate: float, noise_multiplier: float, orders: tuple[float, ...]) -> Floats:
    """[orders] divergences of a step, with room for their rounding."""
    if rate == 0:
        return np.zeros(len(orders))
    found = np.array([step_rdp(rate, noise_multiplier, order) for order in orders])
    order = np.array(orders)
    terms = order * (np.log(order) - math.log(rate) + 1)
    rounding = ROUNDING * (np.abs(found) + terms / (order - 1))
    return np.where(np.isnan(found), np.inf, np.maximum(found, 0) + rounding)


def step_rdp(rate: float, noise_multiplier: float, order: float) -> float:
    """Returns the Rényi divergence of one step (Mironov, Talwar and Zhang 2019).

    ln A / (α - 1) with A = Σ_k C(α, k) (1 - q)^(α - k) q^k e^(k (k - 1) / 2σ²) at a whole order
    α, and α / 2σ² at rate 1. By hand, order 2 at rate ½ and 2σ² = 1 / ln 5, where e^(2 / 2σ²)
    is 25: ln(¼ + ½ + ¼ · 25) = ln 7.

    >>> round(math.exp(step_rdp(0.5, (2 * math.log(5)) ** -0.5, 2.0)), 9)
    7.0
    >>> step_rdp(1.0, 2.0, 8.0)
    1.0
    """
    if rate == 1:
        return order / (2 * noise_multiplier**2)
    if float(order).is_integer():
        return _log_a_whole(rate, noise_multiplier, int(order)) / (order - 1)
    return _log_a_fractional(rate, noise_multiplier, order) / (order - 1)


def _log_a_whole(rate: float, sigma: float, order: int) -> float:
    k = np.arange(order + 1)
    factorials = _log_factorials(max(order, int(ORDERS[-1])))[: order + 1]
    terms = (
        factorials[order]
        - factorials
        - factorials[::-1]
        + k * np.log(rate)
        + (order - k) * np.log1p(-rate)
        + k * (k - 1) / (2 * sigma**2)
    )
    highest = float(terms.max())
    return highest + math.log(np.exp(terms - highest).sum())


@lru_cache(maxsize=2)
def _log_factorials(most: int) -> Floats:
    found: Floats = deferred.special.gammaln(np.arange(1, most + 2))
    return found


def _log_a_fractional(rate: float, sigma: float, order: float) -> float:
    """Equation 3.4: two alternating series, summed until their terms vanish."""
    border = sigma**2 * np.log(1 / rate - 1) + 0.5
    k = np.arange(4096)
    coefficients = deferred.special.binom(order, k)
    logs = np.log(np.abs(np.where(coefficients == 0, 1, coefficients)))
    rest = order - k
    below = logs + k * np.log(rate) + rest * np.log1p(-rate) + (k * k - k) / (2 * sigma**2)
    above = (
        logs + rest * np.log(rate) + k * np.log1p(-rate) + (rest * rest - rest) / (2 * sigma**2)
    )
    below += deferred.special.log_ndtr((border - k) / sigma)
    above += deferred.special.log_ndtr((rest - border) / sigma)
    signs = np.sign(coefficients)
    both = np.concatenate([below, above])
    return float(deferred.special.logsumexp(both, b=np.concatenate([signs, signs])))
