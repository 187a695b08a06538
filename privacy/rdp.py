"""Rényi accounting of the Poisson-subsampled Gaussian: our own, the second opinion."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from privacy import renyi_conversion

ORDERS: tuple[float, ...] = (
    *(1 + x / 10 for x in range(1, 100)),
    *(float(order) for order in range(12, 64)),
)
WHOLE_ORDERS = tuple(float(order) for order in range(2, 64))
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
    if steps == 0 or rate == 0:
        return 0.0
    if noise_multiplier == 0:
        return float("inf")
    of_step = np.array([step_rdp(rate, noise_multiplier, a) for a in orders])
    # an order whose series is lost to rounding bounds nothing: it must not pass for the least
    divergence = steps * np.where(np.isnan(of_step), np.inf, np.maximum(of_step, 0))
    bounds = dict(zip(orders, divergence.tolist(), strict=True))
    return renyi_conversion.epsilon(bounds, delta=delta)


def step_rdp(rate: float, noise_multiplier: float, order: float) -> float:
    """Returns the Rényi divergence of one step (Mironov, Talwar and Zhang 2019)."""
    if rate == 1:
        return order / (2 * noise_multiplier**2)
    if float(order).is_integer():
        return _log_a_whole(rate, noise_multiplier, int(order)) / (order - 1)
    return _log_a_fractional(rate, noise_multiplier, order) / (order - 1)


def _log_a_whole(rate: float, sigma: float, order: int) -> float:
    k = np.arange(order + 1)
    terms = (
        _log_binomial(order, k)
        + k * np.log(rate)
        + (order - k) * np.log1p(-rate)
        + k * (k - 1) / (2 * sigma**2)
    )
    return float(special.logsumexp(terms))


def _log_a_fractional(rate: float, sigma: float, order: float) -> float:
    """Equation 3.4: two alternating series, summed until their terms vanish."""
    border = sigma**2 * np.log(1 / rate - 1) + 0.5
    k = np.arange(4096)
    coefficients = special.binom(order, k)
    logs = np.log(np.abs(np.where(coefficients == 0, 1, coefficients)))
    rest = order - k
    below = logs + k * np.log(rate) + rest * np.log1p(-rate) + (k * k - k) / (2 * sigma**2)
    above = (
        logs + rest * np.log(rate) + k * np.log1p(-rate) + (rest * rest - rest) / (2 * sigma**2)
    )
    below += special.log_ndtr((border - k) / sigma)
    above += special.log_ndtr((rest - border) / sigma)
    signs = np.sign(coefficients)
    both = np.concatenate([below, above])
    return float(special.logsumexp(both, b=np.concatenate([signs, signs])))


def _log_binomial(n: int, k: NDArray[np.int64]) -> Floats:
    logs: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return logs
