"""Server optimizers: how a mean update moves the released parameters.

The methods are those of Reddi et al., "Adaptive Federated Optimization" (ICLR 2021), Algorithm
2, and, for momentum, of Hsu et al., "Measuring the Effects of Non-Identical Data Distribution
for Federated Visual Classification" (2019). With Δ the mean update and η the learning rate:

  * sgd: x ← x + η Δ
  * momentum: m ← β₁ m + Δ, then x ← x + η m
  * adam: m ← β₁ m + (1 − β₁) Δ and v ← β₂ v + (1 − β₂) Δ², then x ← x + η m / (√v + τ)
  * yogi: the same but v ← v − (1 − β₂) Δ² sign(v − Δ²)

As in the first paper m starts at 0 and v at τ², and neither is corrected for its start.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol.messages import Vector
from server.settings import Server

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class State:
    """What an optimizer remembers between rounds; both moments are [trainable] float64."""

    first: Floats
    second: Floats


def initial_state(settings: Server, size: int) -> State:
    """Returns the state before the first round of ``size`` parameters."""
    return State(first=np.zeros(size), second=np.full(size, settings.tau**2))


def step(
    settings: Server, state: State, *, parameters: Vector, mean_update: Floats
) -> tuple[State, Vector]:
    """Applies one mean update.

    Computes in float64 and rounds the parameters once; changes none of its arguments. What
    overflows becomes infinite without a warning: whoever releases it must look.

    Args:
        settings: Names the optimizer and its constants.
        state: From ``initial_state`` or the last step.
        parameters: [trainable] float32 released parameters.
        mean_update: [trainable] float64.

    Returns:
        The next state and the next parameters.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        state = MOMENTS[settings.optimizer](settings, state, mean_update)
        direction = state.first
        if settings.optimizer in ("adam", "yogi"):
            direction = direction / (np.sqrt(state.second) + settings.tau)
        moved = (parameters.astype(np.float64) + settings.lr * direction).astype(np.float32)
    return state, moved


def _sgd(settings: Server, state: State, update: Floats) -> State:
    return State(first=update, second=state.second)


def _momentum(settings: Server, state: State, update: Floats) -> State:
    return State(first=settings.beta1 * state.first + update, second=state.second)


def _adam(settings: Server, state: State, update: Floats) -> State:
    second = settings.beta2 * state.second + (1 - settings.beta2) * update**2
    return State(first=_average(settings, state, update), second=second)


def _yogi(settings: Server, state: State, update: Floats) -> State:
    square = update**2
    second = state.second - (1 - settings.beta2) * square * np.sign(state.second - square)
    return State(first=_average(settings, state, update), second=second)


def _average(settings: Server, state: State, update: Floats) -> Floats:
    return settings.beta1 * state.first + (1 - settings.beta1) * update


MOMENTS: dict[str, Callable[[Server, State, Floats], State]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "adam": _adam,
    "yogi": _yogi,
}
