"""Integer noise that many add together: the Skellam mechanism (Agarwal, Kairouz, Liu 2021).

Skellam noise of variance m is the difference of two Poisson numbers of mean m/2. A sum of it is
Skellam noise again, so that every device adds a share and no one knows the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privacy.accounting import renyi_conversion
from privacy.noise import SPARE_BITS, UNIT, Stream

ORDERS = tuple(range(2, 129))
"""Whole Rényi orders: the bound holds at no others. Up to noise 40 in one round the best one is
among them; at noise 60 they give ε 0.0316, and two thousand of them 0.0314."""

BETA = math.exp(-0.5)
"""How likely a rounding is too long and repeated, as Kairouz, Liu and Steinke 2021 choose it.
Smaller, it is seldom repeated, and the bound on its norm and so ε are larger."""

DEVIATIONS = 4
"""Deviations of the noise that the range of a sum holds on either side, as published: one
coordinate in 16,000 wraps. Fewer, more wrap; more, a clip has fewer steps, and rounding costs
ε."""

LEAST_VARIANCE, MOST_VARIANCE = 20.0, 2.0**52
"""Variances in steps². Transformed rejection needs Poisson means of 10, half the first. With
the second a draw stays below 2^53, up to which float64 holds every whole number."""

BLOCK = 2**14
"""Draws at a time. Measured on 200,000 of variance 10^6: 70 ms, with 2^10 at a time 100 ms and
with 2^20, which leave the caches, 144 ms. Another number draws other noise from the same
seed."""

MARGIN = 64
"""Tries beyond one for each draw; at variance 20 three in four are accepted, at 10^6 eight in
nine. At 0 a single draw of variance 20 takes 1.6 passes on average, with it one."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class SkellamSum:
    """A secure sum of integer updates, with Skellam noise that the devices add, unit *device*.

    Formal guarantee: let a device's update be what it sends or zero, each time that it takes
    part. The sums of the rounds are (``epsilon(participations)``, ``delta``)-differentially
    private for whoever sees them and nothing else, where the noise of the devices that are in
    a sum has the variance (``noise_multiplier`` · ``steps``)² at least. Updates are clipped to
    ``steps`` and then rounded at random, conditional on a norm of at most ``norms``. Who takes
    part is no secret and earns nothing. "Up to floating point": ``draw`` is.

    Attributes:
        noise_multiplier: Deviation of all the noise in a sum over the clip.
        steps: The clip in steps of the grid, before rounding.
        size: Coordinates of an update.
        delta: The δ of the guarantee.
    """

    noise_multiplier: float
    steps: float
    size: int
    delta: float

    @property
    def norms(self) -> tuple[float, float]:
        """L2 and L1 norm of a rounded update at most: ``rounded_norms`` with β = e^-½."""
        return rounded_norms(self.steps, size=self.size)

    def epsilon(self, participations: int) -> float:
        """Returns the ε of a device after so many rounds; without noise it is infinite."""
        if participations == 0:
            return 0.0
        if self.noise_multiplier == 0:
            return math.inf
        variance = (self.noise_multiplier * self.steps) ** 2
        divergences = {
            order: participations * divergence(order, norms=self.norms, variance=variance)
            for order in ORDERS
        }
        return renyi_conversion.epsilon(divergences, delta=self.delta)


def largest_steps(bits: int, *, noise_multiplier: float) -> float:
    """Returns the steps per clip for which sums modulo 2^``bits`` seldom wrap.

    The range holds four deviations of the noise on either side. The updates' own share is left
    out: after a random rotation of n updates it is at most n/√size of the clip.
    """
    return float(2**bits / (2 * DEVIATIONS * noise_multiplier))


def rounded_norms(steps: float, *, size: int, beta: float = BETA) -> tuple[float, float]:
    """Returns bounds on the L2 and the L1 norm of a randomly rounded vector.

    With c the steps and d the size: min(c + √d, √(c² + d/4 + √(2 ln 1/β) (c + √d/2))), and that
    times min(√d, itself), since the entries are whole (Kairouz, Liu and Steinke 2021). The
    first bound always holds; for the second, rounding is repeated until it does, on average at
    most 1/(1 - β) times.

    Args:
        steps: L2 norm before rounding.
        size: Coordinates.
        beta: Probability that a rounding may be too long, above 0 and below 1.
    """
    root = math.sqrt(size)
    usual = steps**2 + size / 4 + math.sqrt(-2 * math.log(beta)) * (steps + root / 2)
    longest = min(steps + root, math.sqrt(usual))
    return longest, longest * min(root, longest)


def divergence(order: int, *, norms: tuple[float, float], variance: float) -> float:
    """Returns a bound on the Rényi divergence of Skellam noise from itself, shifted.

    α Δ₂²/2m + min(((2α - 1) Δ₂² + 6 Δ₁)/4m², 3 Δ₁/2m) for whole orders α (Agarwal et al. 2021,
    corollary 4.1, in steps).

    Args:
        order: A whole order above 1.
        norms: L2 and L1 norm of the shift in steps.
        variance: That of all the noise, in steps².
    """
    square, absolute = norms[0] ** 2, norms[1]
    rest = ((2 * order - 1) * square + 6 * absolute) / (4 * variance**2)
    return order * square / (2 * variance) + min(rest, 3 * absolute / (2 * variance))


def draw(size: int, *, variance: float, stream: Stream) -> Integers:
    """Returns [size] independent Skellam integers: differences of two Poisson numbers.

    The words are those of the stream, but what they decide is computed in float64, so the
    distribution is Skellam's up to floating point. ``discrete_gaussian.draw`` is exact.

    Args:
        size: Number of draws.
        variance: From 20 to 2^52.
        stream: Secret words.

    Raises:
        ValueError: ``variance`` is not in that range.
    """
    if not LEAST_VARIANCE <= variance <= MOST_VARIANCE:
        raise ValueError(
            f"a Skellam variance of {variance:g} must lie between {LEAST_VARIANCE:g} and "
            "2**52; change the steps per clip, or use discrete Gaussian noise."
        )
    draws = np.zeros(2 * size, np.int64)
    for first in range(0, draws.size, BLOCK):
        _fill(draws[first : first + BLOCK], mean=variance / 2, stream=stream)
    return draws[:size] - draws[size:]


def _fill(draws: Integers, *, mean: float, stream: Stream) -> None:
    there = 0
    while there < draws.size:
        some = _poisson(draws.size - there + MARGIN, mean=mean, stream=stream)
        some = some[: draws.size - there]
        draws[there : there + some.size] = some
        there += some.size


def _poisson(count: int, *, mean: float, stream: Stream) -> Integers:
    """Of ``count`` tries those that transformed rejection accepts (PTRS, Hörmann 1993)."""
    spread = 0.931 + 2.53 * math.sqrt(mean)
    slope = -0.059 + 0.02483 * spread
    weight = 1.1239 + 1.1328 / (spread - 3.4)
    place = _uniform(count, stream) - 0.5
    edge = 0.5 - np.abs(place)
    found = np.floor((2 * slope / edge + spread) * place + mean + 0.43)
    height = np.log(_uniform(count, stream) * weight / (slope / edge**2 + spread))
    kept = found >= 0
    kept[kept] = height[kept] <= _log_probability(found[kept], mean=mean)
    return found[kept].astype(np.int64)


def _log_probability(numbers: Floats, *, mean: float) -> Floats:
    """Logarithms of Poisson probabilities, of which a large mean costs no digits.

    Near the mean the terms of -mean + k ln(mean) - ln k! cancel: Loader's form does not have
    them, with Stirling's series for the rest.
    """
    some = np.maximum(numbers, 1)
    excess = (some - mean) / mean
    deviance = mean * ((1 + excess) * np.log1p(excess) - excess)
    rest = 1 / (12 * some) - 1 / (360 * some**3) + 1 / (1260 * some**5)
    logs: Floats = -0.5 * np.log(2 * math.pi * some) - rest - deviance
    return np.where(numbers == 0, -mean, logs)


def _uniform(count: int, stream: Stream) -> Floats:
    """[count] draws between 0 and 1, neither of which occurs."""
    middles: Floats = (stream.words(count) >> SPARE_BITS).astype(np.float64) + 0.5
    return middles * UNIT
