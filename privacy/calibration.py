"""How much noise a promised ε needs."""

from functools import lru_cache

from privacy import rdp
from privacy.accounting import FINE, epsilon

TOLERANCE = 2e-3
ROUGH_TOLERANCE = 5e-2
LEAST, MOST = 0.1, 1e4
ROUGH_GRID = 5e-4
ORDERS = (*rdp.WHOLE_ORDERS, *(2.0**power for power in range(6, 13)))


@lru_cache(maxsize=256)
def noise_multiplier(target: float, *, delta: float, rate: float, steps: int) -> float:
    """Returns the least noise multiplier, to 0.2%, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        delta: The δ of the guarantee.
        rate: Probability of an example in a step.
        steps: Steps of all visits together.

    Raises:
        ValueError: The promise cannot be met, or asks for next to no noise.
    """

    def kept(sigma: float, *, interval: float) -> bool:
        found = epsilon(
            rate=rate, noise_multiplier=sigma, steps=steps, delta=delta, interval=interval
        )
        return found <= target

    rough = max(2 * FINE, ROUGH_GRID * target)
    high = low = _upper(target, delta=delta, rate=rate, steps=steps)
    while kept(low, interval=rough):
        high, low = low, low / 1.3
        if low < LEAST:
            raise ValueError(_next_to_none(target))
    while high / low > 1 + TOLERANCE:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if kept(middle, interval=rough) else (middle, high)
    while not epsilon(rate=rate, noise_multiplier=high, steps=steps, delta=delta) <= target:
        high *= 1 + TOLERANCE
    return high


def _upper(target: float, *, delta: float, rate: float, steps: int) -> float:
    """A noise multiplier that keeps the promise by the Rényi bound: quick and looser."""

    def bound(sigma: float) -> float:
        return rdp.epsilon(
            rate=rate, noise_multiplier=sigma, steps=steps, delta=delta, orders=ORDERS
        )

    low, high = LEAST, MOST
    if bound(high) > target:
        raise ValueError(
            f"privacy.example.epsilon={target:g} cannot be met with {steps} steps at "
            f"δ = {delta:g}; raise it, or lower training.steps or "
            "privacy.example.max_participations."
        )
    if bound(low) <= target:
        raise ValueError(_next_to_none(target))
    while high / low > 1 + ROUGH_TOLERANCE:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if bound(middle) <= target else (middle, high)
    return high


def _next_to_none(target: float) -> str:
    return (
        f"privacy.example.epsilon={target:g} asks for next to no noise; lower it, or "
        "use privacy/example=none for a run without a promise."
    )
