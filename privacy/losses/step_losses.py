"""Privacy losses of one step: Poisson sampling with Gaussian noise, alone or in a crowd."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from privacy.losses.loss_distribution import MOST_DOTS, LossDistribution, mixed
from privacy.losses.loss_dots import DEVIATIONS, between, on_dots
from privacy.sampling.crowds import Crowds

# A loss, beyond which e^loss - 1 is taken for e^loss (they differ by 1e-13): e^loss overflows
# at 709.
LARGE = 30.0
# Relative, and ε for each step: what floats round of the losses on a grid. Without them ε could
# be reported too low.
ROUND_UP, ROUNDING = 1 + 1e-9, 1e-15
Floats = NDArray[np.float64]


@lru_cache(maxsize=4096)
def epsilon(
    crowds: Crowds, *, noise_multiplier: float, steps: int, delta: float, interval: float
) -> float:
    """Returns an upper bound on ε, where one's term is there or not, in either direction.

    Guarantee: the bound holds for every ``interval``, up to the rounding of floats, for which a
    ten-millionth of ``delta`` is set aside and a little for each step. Of two intervals of
    which one is a multiple of the other, the wider has the larger ε.

    Args:
        crowds: How likely each crowd is, and the rate there.
        noise_multiplier: Standard deviation over the clipping norm; 0 gives infinity.
        steps: Number of composed steps; 0 gives 0.
        delta: The δ of the guarantee.
        interval: Width of the grid; a wider one is taken where it has over 4 million dots.
    """
    if steps == 0:
        return 0.0
    if noise_multiplier == 0:
        return math.inf
    both = of_crowds(crowds, noise_multiplier, interval=interval)
    found = max(losses.epsilon(steps, delta=delta) for losses in both)
    return found * ROUND_UP + (ROUNDING * steps if found else 0.0)


def deltas(
    crowds: Crowds,
    *,
    noise_multiplier: float,
    steps: int,
    epsilons: Floats,
    interval: float,
) -> Floats:
    """Returns [epsilons] upper bounds on δ at each ε, in the worse direction.

    Args:
        crowds: How likely each crowd is, and the rate there.
        noise_multiplier: Standard deviation over the clipping norm, above 0.
        steps: Number of composed steps, at least 1.
        epsilons: [epsilons] not negative.
        interval: Same as for ``epsilon``.
    """
    both = of_crowds(crowds, noise_multiplier, interval=interval)
    removed, added = (losses.deltas(steps, epsilons=epsilons) for losses in both)
    return np.minimum(np.maximum(removed, added) * ROUND_UP, 1)


def of_crowds(
    crowds: Crowds, noise_multiplier: float, *, interval: float
) -> tuple[LossDistribution, LossDistribution]:
    """Returns the losses of one step, of one whose term is removed and of one that is added.

    Guarantee: they are of a pair that dominates the step, where ``crowds`` says what one can
    meet (``crowds.crowds``): the pair that reveals the crowd, too.

    Args:
        crowds: How likely each crowd is, and the rate there.
        noise_multiplier: Standard deviation over the clipping norm, above 0.
        interval: Width of the grid; a wider one is taken where it has over 4 million dots.
    """
    drawn = [(weight, rate) for weight, rate in crowds if weight > 0 and rate > 0]
    still = sum(weight for weight, rate in crowds if rate == 0)
    for _, rate in drawn:
        interval = max(interval, _reach(rate, noise_multiplier) / MOST_DOTS)
    steps = [
        (weight, of_step(rate, noise_multiplier, interval=interval)) for weight, rate in drawn
    ]
    removed, added = (
        mixed([(weight, both[way]) for weight, both in steps], still=still, interval=interval)
        for way in (0, 1)
    )
    return removed, added


@lru_cache(maxsize=16)
def of_step(
    rate: float, noise_multiplier: float, *, interval: float
) -> tuple[LossDistribution, LossDistribution]:
    """Returns the losses of one step, of an example that is removed and of one that is added.

    Guarantee: same as ``loss_dots.on_dots``.

    Args:
        rate: Probability of an example in a step, above 0.
        noise_multiplier: Standard deviation over the clipping norm, above 0.
        interval: Width of the grid; a wider one is taken where it has over 4 million dots.
    """
    least, most = _ends(rate, noise_multiplier)
    interval = max(interval, (most - least) / MOST_DOTS)
    first, last = math.floor(least / interval), math.ceil(most / interval)
    dots: Floats = np.arange(first, last + 1, dtype=np.float64) * interval
    outputs = _outputs(dots, rate, noise_multiplier)
    absent = between(outputs / noise_multiplier)
    present = (1 - rate) * absent + rate * between((outputs - 1) / noise_multiplier)
    return (
        on_dots(present, absent, dots, interval=interval),
        on_dots(absent[::-1], present[::-1], -dots[::-1], interval=interval),
    )


def _reach(rate: float, noise: float) -> float:
    least, most = _ends(rate, noise)
    return most - least


def _ends(rate: float, noise: float) -> tuple[float, float]:
    """The least and the largest loss that are not too rare."""
    reach = DEVIATIONS * noise
    return _loss(-reach, rate, noise), _loss(1 + reach, rate, noise)


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
