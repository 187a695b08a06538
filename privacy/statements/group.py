"""What hides a whole library where a mechanism protects each moment: group privacy.

What another constant costs was counted on ten libraries of 2 to 200 moments. With the constants
as they are, the bound of all moments together takes 26 grids, the longest of 3,809 dots.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.stats import binom

from privacy.accounting import analytic_gaussian
from privacy.accounting.pld import LARGEST_EPSILON, MOST_STEPS
from privacy.losses import mixture_losses, step_losses
from privacy.losses.loss_distribution import LossDistribution
from privacy.losses.loss_grid import FINE
from privacy.mechanisms.moments.dpsgd import DpSgd

COARSEST = 1.0
"""Width of the first grid, in units of loss. At 10 it takes 33 grids; at 0.1 18, the longest of
7,507 dots. ε moves by 0.3% at most."""

FINER = 16.0
"""How much finer the next grid is at most, for the ε of a coarse one says little of the width
that is needed. At 4 it takes 36 grids; at 1,000 21, the longest of 5,653 dots."""

SHARE, FINEST = 0.005, 2e-3
"""Width of the last grid as a share of ε, and the least that is asked for, in units of loss.
Ten times the share, or the least, costs 2.4% of ε; a tenth of the share saves 0.4% and takes
grids of 8,462 dots."""

DRIFT = 0.004
"""Share of ε by which the squares of the width over all steps may move it. Ten times as much
costs 1.4% of ε; a tenth saves 0.8% and takes grids of 8,462 dots."""

POINTS = 20_000
"""About the dots of a grid at most, from a loss of 0 to the largest. With 2,000 ε is up to 3%
larger. Without it 400 moments at rate 10^-9 and noise 0.02 take 63,084 dots for an ε
of 0."""

DEVIATIONS = 10
"""Deviations of the noise that count in the largest loss, from which ``POINTS`` follows. Any
number gives a bound: with 0 or 30 no ε of the ten moves."""

RARE = 1e-22
"""Probability that a step draws more moments than the grid holds, which counts as an infinite
loss. At 1e-7 a library of 20 moments has no ε at δ 1e-6; at 1e-40 grids have 7,332 dots."""

NEARLY_ONE = 1 - 1e-9
"""Rate above which sampling earns nothing: the closed form is taken. Without it a step of rate
1 has a grid of no dots and fails."""

LOG_LEAST_DELTA = -45.0
"""Logarithm of the least δ of one moment that is tried. At -90 three of seven libraries get no
ε moment by moment, for rounding uses up so small a δ; at -30 one gets none, whose δ must be
smaller."""

HALVINGS = 12
"""Halvings of the interval in which that δ lies. With 6 ε is up to 4.5% larger; with 24 it is
0.04% less."""

Losses = tuple[LossDistribution, LossDistribution]


@lru_cache(maxsize=256)
def library_epsilon(mechanism: DpSgd, *, moments: int, participations: int) -> float:
    """Returns an upper bound on the ε of a whole library under a mechanism for each moment.

    Formal guarantee: let two libraries differ by ``moments`` moments, all of them added or all
    removed; a library of no more moments against an empty one is such a pair. What a device has
    shown after so many visits is (this, ``mechanism.delta``)-differentially private under the
    conditions of ``DpSgd``. It is the smallest of three bounds, each of which holds:
    ``together_epsilon``, ``one_by_one_epsilon`` and ``unsampled_epsilon``. It grows faster than
    the moments do: beyond some tens it says that nothing is promised. Where one moment alone
    costs more than 100, or steps are over ten million, only the last is computed, at no cost.

    Args:
        mechanism: What protects one moment, and the δ that holds for all of them together; of
            an ``IntegerDpSgd`` its ``sampled``, from which it is made.
        moments: Moments of the library, or more; 0 costs nothing.
        participations: Visits of the device; 0 costs nothing.
    """
    if moments == 0 or participations == 0:
        return 0.0
    if mechanism.noise_multiplier == 0:
        return math.inf
    alone = mechanism.epsilon(participations)
    if moments == 1:
        return alone
    unsampled = unsampled_epsilon(mechanism, moments=moments, participations=participations)
    if alone > LARGEST_EPSILON or mechanism.steps * participations > MOST_STEPS:
        return unsampled
    return min(
        unsampled,
        together_epsilon(mechanism, moments=moments, participations=participations),
        one_by_one_epsilon(mechanism, moments=moments, participations=participations),
    )


def together_epsilon(mechanism: DpSgd, *, moments: int, participations: int) -> float:
    """Returns the bound that follows the coins of all the moments.

    A step draws a binomial number of them, whose sum is at most that many times the clip: a
    mixture of Gaussians, dominated by the one of these norms on a line (Choquette-Choo et al.,
    arXiv 2310.15526, corollary 4.7). Exact, up to the grid, where all gradients are the same.
    """
    if mechanism.sampling.rate > NEARLY_ONE:
        return unsampled_epsilon(mechanism, moments=moments, participations=participations)
    steps = mechanism.steps * participations
    numbers, missing = _numbers(mechanism, moments)
    if len(numbers) == 1:  # any moment in a step is too rare for a grid
        return unsampled_epsilon(mechanism, moments=moments, participations=participations)
    least = max(FINE, _largest_loss(mechanism, moments) / POINTS)

    def bound(interval: float) -> float:
        step = mixture_losses.of_numbers(
            numbers, mechanism.effective_noise, missing=missing, interval=interval
        )
        return _epsilon(step, steps=steps, delta=mechanism.delta)

    return _refined(bound, steps=steps, least=least)


def one_by_one_epsilon(mechanism: DpSgd, *, moments: int, participations: int) -> float:
    """Returns the bound that goes from moment to moment: mε, at a smaller δ for each.

    Where one moment costs (ε, δ'), m of them cost mε and δ' (e^{mε} - 1) / (e^ε - 1), which is
    the sum of δ' e^{kε} for k below m (Vadhan 2017, lemma 2.2, before it rounds up). The
    largest δ' that the δ of the group holds is looked for; infinite where there is none above
    e^-45.
    """
    alone = mechanism.epsilon(participations)
    if not math.isfinite(alone):
        return math.inf
    steps = mechanism.steps * participations
    step = step_losses.of_step(
        mechanism.sampling.rate,
        mechanism.effective_noise,
        interval=max(FINE, _interval(alone, steps=steps)),
    )
    most = math.log(mechanism.delta)
    low, high, found = LOG_LEAST_DELTA, most, math.inf
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        one = _epsilon(step, steps=steps, delta=math.exp(middle))
        if middle + _log_growth(one, moments=moments) <= most:
            low, found = middle, min(found, moments * one)
        else:
            high = middle
    return found


def unsampled_epsilon(mechanism: DpSgd, *, moments: int, participations: int) -> float:
    """Returns the bound that takes every moment to be in every step, in closed form."""
    root = math.sqrt(mechanism.steps * participations)
    return analytic_gaussian.epsilon(
        mechanism.effective_noise / (moments * root), delta=mechanism.delta
    )


def _numbers(mechanism: DpSgd, moments: int) -> tuple[tuple[float, ...], float]:
    """How likely a step draws 0, 1, 2, … of the moments; and that it draws still more."""
    likely = binom.pmf(np.arange(moments + 1), moments, mechanism.sampling.rate)
    above = np.cumsum(likely[::-1])[::-1]
    kept = int(np.count_nonzero(above > RARE))
    return tuple(likely[:kept].tolist()), float(likely[kept:].sum())


def _epsilon(step: Losses, *, steps: int, delta: float) -> float:
    """The ε of so many steps, in the worse direction."""
    return max(losses.epsilon(steps, delta=delta) for losses in step)


def _refined(bound: Callable[[float], float], *, steps: int, least: float) -> float:
    """The bound on a grid that is fine enough for it; it holds on every grid."""
    interval, found = max(COARSEST, least), math.inf
    while True:
        found = min(found, bound(interval))
        wanted = max(least, _interval(found, steps=steps))
        if not wanted < interval / 2:
            return found
        interval = max(wanted, interval / FINER)


def _interval(epsilon: float, *, steps: int) -> float:
    """A width that adds next to nothing: a grid moves the mean by up to its square per step."""
    return min(max(FINEST, SHARE * epsilon), math.sqrt(DRIFT * epsilon / steps))


def _largest_loss(mechanism: DpSgd, moments: int) -> float:
    """About the largest loss of a step that is not too rare for the grid."""
    drawn = float(binom.isf(RARE, moments, mechanism.sampling.rate))
    sigma = mechanism.effective_noise
    return drawn * (drawn / 2 + DEVIATIONS * sigma) / sigma**2


def _log_growth(one: float, *, moments: int) -> float:
    """The logarithm of (e^{mε} - 1) / (e^ε - 1)."""
    if one == 0:
        return math.log(moments)
    if math.isinf(one):
        return math.inf
    rest = math.log(math.expm1(-moments * one) / math.expm1(-one))
    return (moments - 1) * one + rest
