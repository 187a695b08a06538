"""How many trials a search makes: a truncated negative binomial number, or a Poisson one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import exprel

if TYPE_CHECKING:
    from privacy.noise import Stream

NEGLIGIBLE = -45.0
"""Logarithm of a probability that ends the list of numbers beyond the mean: 3e-20 is far below
the spacing of a uniform, 2^-53. At 0 the list would end at the mean."""

ROUND_DOWN = 1 - 1e-9
"""Relative, above what Brent's method leaves. Without it γ could end above the exact one, and ε
below."""


def mean(halting: float, *, shape: float) -> float:
    """Returns the mean of the truncated negative binomial (Papernot and Steinke 2022).

    With P(k) proportional to (1 - γ)^k Γ(k + η) / k! for k from 1 on, it is
    η (1/γ - 1) / (1 - γ^η), and at η = 0 the limit of this.

    Args:
        halting: γ, in (0, 1]; 1 is one trial for sure.
        shape: η, not negative.
    """
    wait = -math.log(halting)
    if wait == 0:
        return 1.0
    return math.expm1(wait) / (wait * float(exprel(-shape * wait)))


def halting(trials: float, *, shape: float) -> float:
    """Returns the γ of this mean, rounded down: a smaller one makes no bound smaller.

    Args:
        trials: The mean, at least 1.
        shape: η, not negative and finite.
    """
    if trials == 1:
        return 1.0

    def excess(logarithm: float) -> float:
        return mean(math.exp(logarithm), shape=shape) - trials

    # By the mean at η = 0, the smallest: there 1/γ is below 2 · trials².
    lowest = -math.log(2 * trials**2)
    while excess(lowest) < 0:
        lowest *= 2
    return math.exp(float(brentq(excess, lowest, 0.0, xtol=1e-12))) * ROUND_DOWN


def draw(stream: Stream, *, trials: float, shape: float) -> int:
    """Returns a number of trials, from one uniform draw.

    Args:
        stream: A secret draw.
        trials: The mean, at least 1.
        shape: η; infinite for Poisson.
    """
    left = float(stream.keyed_uniform(np.zeros(1, np.int64))[0])
    last = 0
    for number, logarithm in _probabilities(trials, shape=shape):
        last = number
        left -= math.exp(logarithm)
        if left < 0:
            break
    return last


def _probabilities(trials: float, *, shape: float) -> Iterator[tuple[int, float]]:
    """Numbers and the logarithms of their probabilities, until these are nothing."""
    if trials == 1 and not math.isinf(shape):
        yield 1, 0.0
        return
    stop = 1.0 if math.isinf(shape) else halting(trials, shape=shape)
    number, logarithm = (0, -trials) if math.isinf(shape) else (1, _log_of_one(stop, shape))
    while number <= trials or logarithm > NEGLIGIBLE:
        yield number, logarithm
        if math.isinf(shape):
            logarithm += math.log(trials / (number + 1))
        else:
            logarithm += math.log1p(-stop) + math.log((number + shape) / (number + 1))
        number += 1


def _log_of_one(stop: float, shape: float) -> float:
    """The probability of one trial: (1 - γ) η / (γ^-η - 1), at η = 0 its limit."""
    wait = -math.log(stop)
    return math.log(-math.expm1(-wait) / wait) - math.log(float(exprel(shape * wait)))
