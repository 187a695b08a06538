"""Privacy losses of Poisson sampling with Gaussian noise on a grid: quick upper bounds on ε."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal, special

MOST_DOTS = 2**22
DEVIATIONS = 9.5
SPARED = 1e-7
STEEPER = (1.1, 1.25, 1.5, 2.0, 3.0, 4.0)
HALF = 0.5
BEGIN, LEAST_TILT = 10.0, 1e-6
MOST_TRIED, NEAR, LONGEST_STEP = 100, 0.25, math.log(8)
LARGE, LARGEST = 30.0, 700.0
Floats = NDArray[np.float64]


@lru_cache(maxsize=4096)
def epsilon(
    *, rate: float, noise_multiplier: float, steps: int, delta: float, interval: float
) -> float:
    """Returns an upper bound on ε, for neighbours that differ by one example added or removed.

    Guarantee: the bound holds for every ``interval``, up to the rounding of floats, for which a
    ten-millionth of ``delta`` is set aside. Of two intervals of which one is a multiple of the
    other, the wider has the larger ε.

    Why: let P and Q be what a step releases with and without the example. The outputs whose
    loss is between two dots of the grid have a probability p under P and r under Q. All of it
    is given to the two dots: u + v = p of P, and u·e^(−low) + v·e^(−high) = r of Q. This
    spreads the ratio of P to Q and keeps its mean. So P and Q can be made from the pair on the
    dots by a random choice that does not look at which of the two it is (Blackwell 1953), and
    all steps from as many such pairs: δ is nowhere lower on the dots. It is the pair that
    connects the dots of the curve of δ (Doroshenko et al., arXiv 2207.04380). Beyond the last
    dot an infinite loss is the second of the two; below the first dot all is rounded up to it.

    Args:
        rate: Probability of an example in a step, above 0.
        noise_multiplier: Standard deviation over the clipping norm; 0 gives infinity.
        steps: Number of composed steps; 0 gives 0.
        delta: The δ of the guarantee.
        interval: Width of the grid; a wider one is taken where it has over 4 million dots.
    """
    if steps == 0:
        return 0.0
    if noise_multiplier == 0:
        return math.inf
    both = of_step(rate, noise_multiplier, interval=interval)
    return max(losses.epsilon(steps, delta=delta) for losses in both)


@lru_cache(maxsize=8)
def of_step(
    rate: float, noise_multiplier: float, *, interval: float
) -> tuple[LossDistribution, LossDistribution]:
    """Returns the losses of one step, of an example that is removed and of one that is added.

    Args:
        rate: Probability of an example in a step, above 0.
        noise_multiplier: Standard deviation over the clipping norm, above 0.
        interval: Width of the grid; a wider one is taken where it has over 4 million dots.
    """
    reach = DEVIATIONS * noise_multiplier
    least, most = (_loss(x, rate, noise_multiplier) for x in (-reach, 1 + reach))
    interval = max(interval, (most - least) / MOST_DOTS)
    first, last = math.floor(least / interval), math.ceil(most / interval)
    dots: Floats = np.arange(first, last + 1, dtype=np.float64) * interval
    outputs = _outputs(dots, rate, noise_multiplier)
    absent = _between(outputs / noise_multiplier)
    mixed = (1 - rate) * absent + rate * _between((outputs - 1) / noise_multiplier)
    return (
        _on_dots(mixed, absent, dots, interval=interval),
        _on_dots(absent[::-1], mixed[::-1], -dots[::-1], interval=interval),
    )


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
        lost = -math.expm1(steps * math.log1p(-self.infinite))
        room = (1 - 2 * SPARED) * delta - lost
        if room <= 0:
            return math.inf
        tilt = self._tilt(-math.log(room) / steps)
        dots = self._window(HALF * tilt, steps, spared=SPARED * delta)
        if dots > MOST_DOTS:
            _, cumulant = self._tilted(tilt)
            return max(0.0, (steps * cumulant - math.log(room)) / tilt)
        masses = self._composed(HALF * tilt, steps, dots=dots)
        return _crossing(masses, self.interval, room=room)

    def _tilted(self, tilt: float) -> tuple[Floats, float]:
        """Probabilities in proportion to e^(tilt · loss), and the logarithm of its mean."""
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
            weights, cumulant = self._tilted(tilt)
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
            _, steeper = self._tilted(share * tilt)
            bound = (steps * steeper - math.log(spared)) / ((share - 1) * tilt)
            highest = min(highest, bound)
        # A sum from above comes back e^(tilt · window) times as likely; one from below comes
        # back higher than it is, but as much less likely.
        return math.ceil(max(highest, -math.log(spared) / tilt) / self.interval) + 1

    def _composed(self, tilt: float, steps: int, *, dots: int) -> Floats:
        """Probabilities of sums of 0 and the next multiples, and none of them too small."""
        size = fft.next_fast_len(dots, real=True)
        weights, cumulant = self._tilted(tilt)
        folded = np.zeros(-(-len(weights) // size) * size)
        folded[: len(weights)] = weights
        spectrum = fft.rfft(folded.reshape(-1, size).sum(axis=0)) ** steps
        first = round(float(self.losses[0]) / self.interval)
        found = np.roll(fft.irfft(spectrum, size), (steps * first) % size)
        exponents = steps * cumulant - tilt * self.interval * np.arange(size)
        masses: Floats = np.minimum(
            np.maximum(found, 0) * np.exp(np.minimum(exponents, LARGEST)), 1
        )
        return masses


def _crossing(masses: Floats, interval: float, *, room: float) -> float:
    """The ε at which the mean of 1 − e^(ε − sum), where it is above 0, is ``room``.

    The sums are the multiples of ``interval`` from 0 on.
    """
    upper = np.cumsum(masses[::-1])[::-1]
    lower = signal.lfilter([1.0], [1.0, -math.exp(-interval)], masses[::-1])[::-1]
    above = np.flatnonzero(upper - lower > room)
    if len(above) == 0:
        return 0.0
    dot = int(above[-1]) + 1
    return dot * interval + math.log((upper[dot] - room) / lower[dot])


def _on_dots(p: Floats, q: Floats, dots: Floats, *, interval: float) -> LossDistribution:
    """The losses of P against Q, from their probabilities below, between and above the dots."""
    p_of_dots = np.exp(np.minimum(dots, LARGEST))
    higher = (p[1:-1] - q[1:-1] * p_of_dots[:-1]) / -math.expm1(-interval)
    higher = np.clip(higher, 0, p[1:-1])
    masses = np.zeros_like(dots)
    masses[:-1] = p[1:-1] - higher
    masses[1:] += higher
    masses[0] += p[0]
    last = min(float(p[-1]), float(q[-1] * p_of_dots[-1]))
    masses[-1] += last
    with np.errstate(divide="ignore"):
        logarithms = np.log(masses)
    return LossDistribution(
        interval=interval, losses=dots, logarithms=logarithms, infinite=float(p[-1]) - last
    )


def _between(borders: Floats) -> Floats:
    """Probabilities of a standard normal below, between and above ascending borders."""
    tails = special.ndtr(-np.abs(borders))
    tails = np.concatenate([[0.0], np.where(borders > 0, -tails, tails), [0.0]])
    masses: Floats = np.diff(tails)
    masses[np.count_nonzero(borders <= 0)] += 1
    return masses


def _loss(output: float, rate: float, noise: float) -> float:
    """The loss of an output where the example may be, against where it is not."""
    missing = math.log1p(-rate) if rate < 1 else -math.inf
    return float(np.logaddexp(missing, math.log(rate) + (output - 0.5) / noise**2))


def _outputs(losses: Floats, rate: float, noise: float) -> Floats:
    """The outputs of such losses; minus infinity where there is none as low."""
    ratios = np.maximum(np.expm1(np.minimum(losses, LARGE)) / rate, -1)
    with np.errstate(divide="ignore"):
        logarithms = np.log1p(ratios) + np.maximum(losses - LARGE, 0)
    return 0.5 + noise**2 * logarithms
