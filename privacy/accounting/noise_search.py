"""How much noise a promised ε needs."""

import math
from collections.abc import Callable
from functools import lru_cache

from privacy.accounting import root_search
from privacy.accounting.pld import epsilon
from privacy.accounting.root_search import Range
from privacy.clipping.sensitivity import SENSITIVITY
from privacy.losses import loss_grid, step_losses
from privacy.sampling.crowds import Crowds, alone

LEAST, MOST, BEGIN = 0.1, 1e4, 1.0
"""Noise multipliers: what counts as next to no noise, the most that is tried, and the least
guess to begin at. A promise that asks for less or more than the first two is refused in one
sentence."""

NOISE = Range(lowest=LEAST, highest=MOST, power=-1.2)
"""The power is the slope of ln ε in ln σ until two trials have shown it. At -0.3 a search asks
the accountant that reports ε more than twice, and a test fails."""


class NextToNoNoiseError(ValueError):
    """A promise so loose that it asks for next to no noise."""


@lru_cache(maxsize=256)
def noise_multiplier(target: float, *, delta: float, rate: float, steps: int) -> float:
    """Returns a noise multiplier of ``DpSgd``, within 0.5% of the least, that keeps a promise.

    Args:
        target: The promised ε.
        delta: The δ of the guarantee.
        rate: Probability of an example in a step.
        steps: Steps of all visits together.

    Raises:
        ValueError: The promise cannot be met; ``NextToNoNoiseError`` where it asks for none.
    """

    def bound(sigma: float, interval: float) -> float:
        return epsilon(
            rate=rate,
            noise_multiplier=sigma / SENSITIVITY,
            steps=steps,
            delta=delta,
            interval=interval,
        )

    found = least(bound, target, crowds=alone(rate), steps=steps, delta=delta)
    if found == math.inf:
        raise ValueError(
            f"privacy.example.epsilon={target:g} cannot be met with {steps} steps at "
            f"δ = {delta:g}; raise it, or lower training.steps or "
            "privacy.example.max_participations."
        )
    if found == 0:
        raise NextToNoNoiseError(
            f"privacy.example.epsilon={target:g} asks for next to no noise; lower it, or "
            "use privacy/example=none for a run without a promise."
        )
    return found


def least(
    bound: Callable[[float, float], float],
    target: float,
    *,
    crowds: Crowds,
    steps: int,
    delta: float,
) -> float:
    """Returns a noise multiplier, within 0.5% of the least, that keeps a promise by ``bound``.

    Privacy losses alone, which are quicker than the least of all bounds, say where that is.

    Args:
        bound: The ε of a noise multiplier, by a grid of losses of the given width.
        target: The promised ε, above 0.
        crowds: What one can meet in a step, and its rate there.
        steps: Composed steps.
        delta: The δ of the guarantee.

    Returns:
        The noise multiplier; infinity where 10,000 is not enough and 0 where 0.1 is.
    """

    def quick(sigma: float, interval: float) -> float:
        return step_losses.epsilon(
            crowds, noise_multiplier=sigma, steps=steps, delta=delta, interval=interval
        )

    def fine(_: float) -> float:
        return loss_grid.width(target, steps=steps, delta=delta)

    near, grid = root_search.expected(
        quick, target, NOISE, near=_about(target, crowds, steps, delta), fine=fine
    )
    if near == LEAST:
        return 0.0
    found = root_search.boldest_kept(lambda sigma: bound(sigma, grid), target, NOISE, near=near)
    if found is None:
        return math.inf
    return 0.0 if found == LEAST else found


def _about(target: float, crowds: Crowds, steps: int, delta: float) -> float:
    """A first guess of σ, right for many steps of next to no loss: q √(2 k ln 1/δ) / ε.

    From far below it the losses of a step are so large that a fine grid has millions of dots.
    """
    rate = sum(weight * one for weight, one in crowds)
    found = rate * math.sqrt(2 * steps * math.log(1 / delta)) / target
    return max(LEAST, min(max(BEGIN, found), MOST))
