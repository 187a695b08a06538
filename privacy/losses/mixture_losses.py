"""Privacy losses of a step that several examples join at once: a mixture of Gaussians."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from privacy.losses.loss_distribution import LossDistribution
from privacy.losses.loss_dots import DEVIATIONS, between, on_dots

# Newton's steps: each halves the distance at least where losses bend, and squares it elsewhere.
MOST_TRIED = 60
# Relative, of outputs: where floats no longer tell two of them apart.
NEAR = 1e-14
# Dots at a time, of which each has a term for every number of examples: 64 MB for 400 of them.
BLOCK = 2**14
Floats = NDArray[np.float64]


@lru_cache(maxsize=8)
def of_numbers(
    likely: tuple[float, ...], noise_multiplier: float, *, missing: float, interval: float
) -> tuple[LossDistribution, LossDistribution]:
    """Returns the losses of a step, of examples that are removed and of some that are added.

    With them a step releases N(k, σ²), where k is how many it draws, without them N(0, σ²).
    Guarantee: same as ``loss_dots.on_dots``. Missing numbers count as an infinite loss.

    Args:
        likely: Probability of 0, 1, 2, … of them; of 0 it is above 0.
        noise_multiplier: Standard deviation σ over the clipping norm, above 0.
        missing: Probability of a larger number.
        interval: Width of the grid.
    """
    numbers = np.flatnonzero(likely)
    logs = np.log(np.array(likely)[numbers])
    reach = DEVIATIONS * noise_multiplier
    ends = np.array([-reach, numbers[-1] + reach])
    least, most = _loss(ends, logs, numbers, noise_multiplier)[0]
    dots: Floats = np.arange(math.floor(least / interval), math.ceil(most / interval) + 1)
    dots = dots * interval
    outputs = np.concatenate(
        [
            _outputs(dots[first : first + BLOCK], logs, numbers, noise_multiplier)
            for first in range(0, len(dots), BLOCK)
        ]
    )
    absent = between(outputs / noise_multiplier)
    present = np.zeros_like(absent)
    for number, log in zip(numbers, logs, strict=True):
        present += math.exp(log) * between((outputs - number) / noise_multiplier)
    removed = on_dots(present, absent, dots, interval=interval)
    added = on_dots(absent[::-1], present[::-1], -dots[::-1], interval=interval)
    return removed.with_infinite(missing), added


def _loss(
    outputs: Floats, logs: Floats, numbers: NDArray[np.int64], noise: float
) -> tuple[Floats, Floats]:
    """[outputs] how much likelier they are with the examples, as a logarithm, and its slope."""
    terms = logs + numbers * (2 * outputs[:, None] - numbers) / (2 * noise**2)
    highest = terms.max(axis=1)
    weights = np.exp(terms - highest[:, None])
    total = weights.sum(axis=1)
    return highest + np.log(total), weights @ numbers / total / noise**2


def _outputs(losses: Floats, logs: Floats, numbers: NDArray[np.int64], noise: float) -> Floats:
    """The outputs of such losses; minus infinity where there is none as low.

    A loss is convex in its output and above each of its terms, where it is linear. So Newton's
    steps that begin where one of these lines crosses come down to the output from above.
    """
    found = np.full(len(losses), -np.inf)
    there = losses > logs[0]
    aims = losses[there]
    lines = (aims[:, None] - logs[1:]) * noise**2 / numbers[1:] + numbers[1:] / 2
    outputs: Floats = lines.min(axis=1)
    for _ in range(MOST_TRIED):
        reached, slopes = _loss(outputs, logs, numbers, noise)
        steps = (reached - aims) / np.maximum(slopes, np.finfo(float).tiny)
        outputs = outputs - np.maximum(steps, 0)
        if (steps <= NEAR * (noise + np.abs(outputs))).all():
            break
    found[there] = outputs
    return found
