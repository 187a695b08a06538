"""Privacy losses on a grid, and the ε of so many steps of them: quick upper bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from privacy import deferred

# Of a grid or a transform: 32 MB of floats each. Beyond it a search no longer answers at once.
MOST_DOTS = 2**22
# Of δ, set aside for sums outside of the window and for the rounding of floats.
SPARED = 1e-7
# Of δ for each step, for a power of the transform: some thousand times what a float rounds.
ROUNDING = 1e-12
# Tilts that bound the window, over the one that weights the losses. Each gives a bound and the
# least counts, for none is best everywhere: of five settings 4.0 needs 2,836 dots where 2.0
# needs 4,208, and 17,411,537 where 2.0 needs 11,645. With 1.001 alone the golden figures are
# missed.
STEEPER = (1.1, 1.25, 1.5, 2.0, 3.0, 4.0)
# Share of the tilt of Chernoff's bound that weights the losses. The window is short near it:
# for 100 steps with noise 25 it has 4,439 dots, at a quarter 8,876 and at one 5,715. At a tenth
# tests of a small δ against the closed form fail.
HALF = 0.5
# Per unit of loss: where the search for a tilt begins, and the least tilt. From 1e4 it takes up
# to 14 trials for 9. With 1 as the least a test of 100,000 steps of noise 1 fails: their bound
# is loose.
BEGIN, LEAST_TILT = 10.0, 1e-6
# Of that search: the most trials; how near the aimed logarithm is near enough, relative; the
# longest step in the logarithm of the tilt. Any tilt gives a bound. With 5 trials that test
# fails, too. Within 0.9 windows are up to a half longer; within 0.01 the search takes up to 14
# trials for 9.
MOST_TRIED, NEAR, LONGEST_STEP = 100, 0.25, math.log(8)
# Of exponents, so that none overflows: float64 ends at e^709.8.
LARGEST = 700.0
# δ at an ε is first looked for near AIM; where it is FAR below what was aimed at, aim anew.
AIM, FAR, LEAST_AIM = 0.1, 1e-3, 1e-300
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LossDistribution:
    """Privacy losses on a grid, and infinity.

    Attributes:
        interval: Width of the grid, whose dots are its multiples.
        losses: The dots, ascending.
        logarithms: Of the probabilities of the dots.
        infinite: Probability of an infinite loss.
    """

    interval: float
    losses: Floats
    logarithms: Floats
    infinite: float

    def epsilon(self, steps: int, *, delta: float) -> float:
        """Returns the least ε at which the δ of so many steps is at most ``delta``.

        The probabilities of sums of losses come by one Fourier transform, after each loss was
        weighted with e^(tilt · loss), for half the tilt of Chernoff's bound: then sums near ε
        are not rare, and rounding is small beside δ too. Sums above the window of the transform
        count as infinite, by Chernoff's bound. Those below come back inside of it, where they
        can only add to δ. Were the window over 4 million dots, ε is that of Chernoff's bound,
        as in Rényi accounting.
        """
        spared = self._spared(steps) * delta
        room = delta - 2 * spared - self._lost(steps)
        if room <= 0:
            return math.inf
        tilt = self._tilt(-math.log(room) / steps)
        masses = self._sums(HALF * tilt, steps, spared=spared)
        if masses is None:
            _, cumulant = self.tilted(tilt)
            return max(0.0, (steps * cumulant - math.log(room)) / tilt)
        return crossing(masses, self.interval, room=room)

    def deltas(self, steps: int, *, epsilons: Floats) -> Floats:
        """Returns [epsilons] the δ of so many steps at each, by the same sums as ``epsilon``.

        The tilt that suits a δ follows from it: one that comes out far below what was aimed at
        is found anew.

        Args:
            steps: Composed steps.
            epsilons: [epsilons] not negative.
        """
        found = np.ones(len(epsilons))
        left, aim = np.arange(len(epsilons)), AIM
        while len(left):
            found[left] = self._deltas(steps, epsilons[left], aim=aim)
            left = left[(found[left] <= FAR * aim) & (aim > LEAST_AIM)]
            aim = max(float(found[left].max(initial=0.0)), LEAST_AIM)
        return found

    def _deltas(self, steps: int, epsilons: Floats, *, aim: float) -> Floats:
        """Those deltas, exactly where they are about ``aim`` and not too low elsewhere."""
        spared = self._spared(steps) * aim
        tilt = self._tilt(-math.log(aim) / steps)
        masses = self._sums(HALF * tilt, steps, spared=spared)
        if masses is None:
            _, cumulant = self.tilted(tilt)
            return np.exp(np.minimum(steps * cumulant - tilt * epsilons, 0))
        sums = np.arange(len(masses)) * self.interval
        gained = [masses @ np.maximum(-np.expm1(one - sums), 0) for one in epsilons]
        return np.minimum(np.array(gained) + 2 * spared + self._lost(steps), 1)

    def with_infinite(self, more: float) -> LossDistribution:
        """Returns these losses and one more, infinite, of that probability."""
        return replace(self, infinite=self.infinite + more)

    def _lost(self, steps: int) -> float:
        """How likely one of the losses is infinite."""
        return -math.expm1(steps * math.log1p(-self.infinite))

    @staticmethod
    def _spared(steps: int) -> float:
        return SPARED + ROUNDING * steps

    def _sums(self, tilt: float, steps: int, *, spared: float) -> Floats | None:
        """Probabilities of sums of 0 and the next multiples; None where they are too many."""
        dots = self._window(tilt, steps, spared=spared)
        return None if dots > MOST_DOTS else self._composed(tilt, steps, dots=dots)

    def tilted(self, tilt: float) -> tuple[Floats, float]:
        """Returns probabilities in proportion to e^(tilt · loss), and the log of its mean."""
        exponents = self.logarithms + tilt * self.losses
        highest = float(exponents.max())
        weights = np.exp(exponents - highest)
        total = float(weights.sum())
        return weights / total, highest + math.log(total)

    def _tilt(self, rarity: float) -> float:
        """About the tilt whose bound on a step, by Chernoff, is e^(−rarity), if one is."""
        low, high = LEAST_TILT, 1 / self.interval
        tilt = min(BEGIN, high / 2)
        for _ in range(MOST_TRIED):
            weights, cumulant = self.tilted(tilt)
            mean = float(np.sum(weights * self.losses))
            excess = tilt * mean - cumulant - rarity
            low, high = (low, tilt) if excess > 0 else (tilt, high)
            if abs(excess) <= NEAR * rarity or high <= (1 + NEAR) * low:
                break
            slope = tilt**2 * float(np.sum(weights * (self.losses - mean) ** 2))
            step = -excess / max(slope, math.ulp(rarity))
            tilt *= math.exp(max(-LONGEST_STEP, min(LONGEST_STEP, step)))
            if not low < tilt < high:
                tilt = math.sqrt(low * high)
        return tilt

    def _window(self, tilt: float, steps: int, *, spared: float) -> int:
        """So many dots from 0 on that what the window misses or moves is below ``spared``."""
        highest = steps * float(self.losses[-1])
        for share in STEEPER:
            _, steeper = self.tilted(share * tilt)
            bound = (steps * steeper - math.log(spared)) / ((share - 1) * tilt)
            highest = min(highest, bound)
        # A sum from above comes back e^(tilt · window) times as likely; one from below comes
        # back higher than it is, but as much less likely.
        return math.ceil(max(highest, -math.log(spared) / tilt) / self.interval) + 1

    def _composed(self, tilt: float, steps: int, *, dots: int) -> Floats:
        """Probabilities of sums of 0 and the next multiples, and none of them too small."""
        size = deferred.fft.next_fast_len(dots, real=True)
        weights, cumulant = self.tilted(tilt)
        folded = np.zeros(-(-len(weights) // size) * size)
        folded[: len(weights)] = weights
        # NumPy's: SciPy's has the same bits and keeps what it computed for its last 16 sizes,
        # which are larger the longer a run is.
        spectrum = np.fft.rfft(folded.reshape(-1, size).sum(axis=0)) ** steps
        first = round(float(self.losses[0]) / self.interval)
        found = np.roll(np.fft.irfft(spectrum, size), (steps * first) % size)
        exponents = steps * cumulant - tilt * self.interval * np.arange(size)
        masses: Floats = np.minimum(
            np.maximum(found, 0) * np.exp(np.minimum(exponents, LARGEST)), 1
        )
        return masses


def crossing(masses: Floats, interval: float, *, room: float) -> float:
    """Returns the ε at which the mean of 1 − e^(ε − sum), where above 0, is ``room``.

    By hand, a sum that is always 2: 1 − e^(ε − 2) = ½ at ε = 2 − ln 2.

    >>> round(crossing(np.array([0.0, 0.0, 1.0]), 1.0, room=0.5), 6)
    1.306853

    Args:
        masses: Probabilities of the sums: of the multiples of ``interval`` from 0 on.
        interval: Width of the grid.
        room: The δ of that ε.
    """
    upper = np.cumsum(masses[::-1])[::-1]
    lower = deferred.signal.lfilter([1.0], [1.0, -math.exp(-interval)], masses[::-1])[::-1]
    above = np.flatnonzero(upper - lower > room)
    if len(above) == 0:
        return 0.0
    dot = int(above[-1]) + 1
    return dot * interval + math.log((upper[dot] - room) / lower[dot])


def mixed(
    parts: Iterable[tuple[float, LossDistribution]], *, still: float, interval: float
) -> LossDistribution:
    """Returns the losses of a pair that reveals from which of several pairs it was drawn.

    Args:
        parts: How likely each pair is, and its losses on a grid of the same width.
        still: How likely a pair of two equals is, whose loss is 0.
        interval: Width of the grid.
    """
    grids = [(weight, losses, round(losses.losses[0] / interval)) for weight, losses in parts]
    first = min([0, *(start for _, _, start in grids)])
    last = max([0, *(start + len(losses.losses) - 1 for _, losses, start in grids)])
    masses = np.zeros(last - first + 1)
    masses[-first] = still
    for weight, losses, start in grids:
        begin = start - first
        masses[begin : begin + len(losses.losses)] += weight * np.exp(losses.logarithms)
    with np.errstate(divide="ignore"):
        logarithms = np.log(masses)
    return LossDistribution(
        interval=interval,
        losses=np.arange(first, last + 1) * interval,
        logarithms=logarithms,
        infinite=sum(weight * losses.infinite for weight, losses, _ in grids),
    )
