"""The ε of steps of several kinds: their privacy losses on one grid, all added up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privacy import deferred
from privacy.losses.loss_distribution import (
    HALF,
    LARGEST,
    MOST_DOTS,
    ROUNDING,
    SPARED,
    STEEPER,
    LossDistribution,
    crossing,
)

LEAST_TILT, MOST_TILT, HALVINGS = 1e-4, 1e4, 24
"""Per unit of loss, the ends between which a tilt is sought, and how often the range of its
logarithm is halved. Any tilt gives a bound; one far from the best gives a looser one."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JointLosses:
    """Privacy losses of several kinds of steps on grids of one width.

    Attributes:
        parts: The losses of a step of each kind, and how many of them there are.
    """

    parts: Sequence[tuple[LossDistribution, int]]

    def epsilon(self, *, delta: float) -> float:
        """Returns the least ε at which the δ of all steps together is at most ``delta``.

        Same as ``LossDistribution.epsilon``, whose argument holds for a product of transforms
        and for a power of one alike: sums above the window count as infinite, by Chernoff's
        bound for the sum of all; those below come back inside of it.
        """
        steps = sum(times for _, times in self.parts)
        spared = (SPARED + ROUNDING * steps) * delta
        room = delta - 2 * spared - self._lost()
        if room <= 0:
            return math.inf
        tilt = self._tilt(-math.log(room))
        dots = self._window(HALF * tilt, spared=spared)
        if dots > MOST_DOTS:
            return max(0.0, (self._cumulant(tilt) - math.log(room)) / tilt)
        return crossing(self._sums(HALF * tilt, dots=dots), self._interval, room=room)

    @property
    def _interval(self) -> float:
        return self.parts[0][0].interval

    def _lost(self) -> float:
        """How likely any of the losses is infinite."""
        kept = sum(times * math.log1p(-losses.infinite) for losses, times in self.parts)
        return -math.expm1(kept)

    def _cumulant(self, tilt: float) -> float:
        """The logarithm of the mean of e^(tilt · sum)."""
        return sum(times * losses.tilted(tilt)[1] for losses, times in self.parts)

    def _tilt(self, rarity: float) -> float:
        """About the tilt whose bound on the sum, by Chernoff, is e^(−rarity)."""
        low, high = math.log(LEAST_TILT), math.log(min(MOST_TILT, 1 / self._interval))
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            tilt, mean = math.exp(middle), 0.0
            for losses, times in self.parts:
                mean += times * float(np.sum(losses.tilted(tilt)[0] * losses.losses))
            rare = tilt * mean - self._cumulant(tilt) > rarity
            low, high = (low, middle) if rare else (middle, high)
        return math.exp(low)

    def _window(self, tilt: float, *, spared: float) -> int:
        """So many dots from 0 on that what the window misses or moves is below ``spared``."""
        highest = sum(times * float(losses.losses[-1]) for losses, times in self.parts)
        for share in STEEPER:
            bound = self._cumulant(share * tilt) - math.log(spared)
            highest = min(highest, bound / ((share - 1) * tilt))
        return math.ceil(max(highest, -math.log(spared) / tilt) / self._interval) + 1

    def _sums(self, tilt: float, *, dots: int) -> Floats:
        """Probabilities of sums of 0 and the next multiples, and none of them too small."""
        size = deferred.fft.next_fast_len(dots, real=True)
        spectrum, first = np.ones(size // 2 + 1, np.complex128), 0
        for losses, times in self.parts:
            weights, _ = losses.tilted(tilt)
            folded = np.zeros(-(-len(weights) // size) * size)
            folded[: len(weights)] = weights
            spectrum *= np.fft.rfft(folded.reshape(-1, size).sum(axis=0)) ** times
            first += times * round(float(losses.losses[0]) / self._interval)
        found = np.roll(np.fft.irfft(spectrum, size), first % size)
        exponents = self._cumulant(tilt) - tilt * self._interval * np.arange(size)
        masses: Floats = np.minimum(
            np.maximum(found, 0) * np.exp(np.minimum(exponents, LARGEST)), 1
        )
        return masses
