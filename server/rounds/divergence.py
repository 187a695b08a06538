"""A run whose model leaves the finite numbers: it ends, and what was good before is kept."""

from collections.abc import Callable

import numpy as np

from protocol.messages import Vector

SLOWER = "lower training.lr or server.optimizer.lr"
Sound = Callable[[Vector], bool]
"""Says of parameters [trainable] whether the scores that they give are finite."""


class DivergedError(ValueError):
    """What a round came to is no model: one sentence, with the way out."""

    def __init__(self, number: int, why: str) -> None:
        """Says of round ``number`` why; at 0 it is what the run was to start from."""
        super().__init__(
            f"round {number} diverged: {why}; {SLOWER}."
            if number
            else f"the weights that the run starts from are no model: {why}; name others in "
            "ranking.weights."
        )


def check(number: int, parameters: Vector, *, sound: Sound) -> None:
    """Refuses parameters [trainable] that are no model.

    Raises:
        DivergedError: They, or the scores that they give, are not finite.
    """
    if not np.isfinite(parameters).all():
        raise DivergedError(number, "its parameters are not finite")
    if not sound(parameters):
        raise DivergedError(number, "its scores are not finite")
