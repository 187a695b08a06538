"""Server optimizers: how a mean update moves the released parameters, and their average.

The methods are those of Reddi et al., "Adaptive Federated Optimization" (ICLR 2021), Algorithm
2, and, for momentum, of Hsu et al., "Measuring the Effects of Non-Identical Data Distribution
for Federated Visual Classification" (2019). With Δ the mean update and η the learning rate:

  * sgd: x ← x + η Δ
  * momentum: m ← β₁ m + Δ, then x ← x + η m
  * adam: m ← β₁ m + (1 − β₁) Δ and v ← β₂ v + (1 − β₂) Δ², then x ← x + η m / (√v + τ)
  * yogi: the same but v ← v − (1 − β₂) Δ² sign(v − Δ²)

As in the first paper m starts at 0 and v at τ², and neither is corrected for its start.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.messages import Vector
from protocol.optimizers import Adam, Momentum, Optimizer, Sgd, Yogi

Floats = NDArray[np.float64]

Moments = tuple[Floats, ...]
"""What an optimizer remembers between rounds, [trainable] each; empty before the first."""

Rule = Callable[[Any, Moments, Floats], tuple[Moments, Floats]]
"""From settings, moments and mean update to the next moments and the direction of the step."""


def step(
    settings: Optimizer, moments: Moments, *, parameters: Vector, mean_update: Floats
) -> tuple[Moments, Vector]:
    """Applies one mean update.

    Computes in float64 and rounds the parameters once; changes none of its arguments. What
    overflows becomes infinite without a warning: whoever releases it must look.

    Args:
        settings: Which optimizer, and its constants.
        moments: From the last step; empty before the first.
        parameters: [trainable] float32 released parameters.
        mean_update: [trainable] float64.

    Returns:
        The next moments and the next parameters.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        moments, direction = RULES[type(settings)](settings, moments, mean_update)
        moved = (parameters.astype(np.float64) + settings.lr * direction).astype(np.float32)
    return moments, moved


def _sgd(settings: Sgd, moments: Moments, update: Floats) -> tuple[Moments, Floats]:
    return moments, update


def _momentum(settings: Momentum, moments: Moments, update: Floats) -> tuple[Moments, Floats]:
    (first,) = moments or (np.zeros_like(update),)
    first = settings.beta1 * first + update
    return (first,), first


def _adam(settings: Adam, moments: Moments, update: Floats) -> tuple[Moments, Floats]:
    first, second = moments or _start(settings, update)
    second = settings.beta2 * second + (1 - settings.beta2) * update**2
    return _paced(settings, first, second, update)


def _yogi(settings: Yogi, moments: Moments, update: Floats) -> tuple[Moments, Floats]:
    first, second = moments or _start(settings, update)
    square = update**2
    second = second - (1 - settings.beta2) * square * np.sign(second - square)
    return _paced(settings, first, second, update)


def _start(settings: Adam | Yogi, update: Floats) -> Moments:
    return np.zeros_like(update), np.full_like(update, settings.tau**2)


def _paced(
    settings: Adam | Yogi, first: Floats, second: Floats, update: Floats
) -> tuple[Moments, Floats]:
    """Each coordinate of the first moment, over the root of its second."""
    first = settings.beta1 * first + (1 - settings.beta1) * update
    return (first, second), first / (np.sqrt(second) + settings.tau)


RULES: Mapping[type[Any], Rule] = MappingProxyType(
    {Sgd: _sgd, Momentum: _momentum, Adam: _adam, Yogi: _yogi}
)


class RecentAverage:
    """Averages the parameters after the last rounds (Polyak and Juditsky 1992): less noise.

    It reads only what was released already, so that it spends nothing, and it moves no round:
    training goes on from the last parameters, not from their average.
    """

    def __init__(self, rounds: int) -> None:
        """Begins empty.

        Args:
            rounds: How many of the last parameters count; 1 is the last alone.
        """
        self._recent: deque[Vector] = deque(maxlen=rounds)

    @property
    def recent(self) -> tuple[Vector, ...]:
        """The parameters that count, the oldest first."""
        return tuple(self._recent)

    def restore(self, recent: Iterable[Vector]) -> None:
        """Goes on from what ``recent`` was; of more than count, the newest are kept."""
        self._recent.clear()
        self._recent.extend(recent)

    def add(self, parameters: Vector) -> Vector:
        """Returns the average [trainable] float32 with ``parameters`` as the newest.

        Before enough rounds have passed it is that of all so far. It is read-only.
        """
        self._recent.append(parameters)
        if len(self._recent) == 1:
            average = parameters
        else:
            average = np.asarray(np.mean(self._recent, axis=0, dtype=np.float64), np.float32)
            average.flags.writeable = False
        return average
