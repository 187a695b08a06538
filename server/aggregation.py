"""What the admitted updates say together."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol.messages import Vector


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mean:
    """The mean of ``count`` updates.

    Attributes:
        value: [trainable] float64.
        count: Updates in it, at least one.
        squares: Sum of the updates' squared norms.
    """

    value: NDArray[np.float64]
    count: int
    squares: float

    def shrunk(self) -> NDArray[np.float64]:
        """Returns the mean, drawn towards zero by as much of it as is chance.

        The positive-part estimator of James and Stein (1961): the factor is 1 − v / ‖mean‖²,
        at least 0, with v the squared standard error of the mean over all coordinates, taken
        from how much the updates differ. Noise that devices added, their few moments and their
        different tastes all count as chance. A single update, whose error nobody knows, stays.

        It reads nothing but the updates that the server was sent, so that it costs no privacy
        where these are protected one by one.
        """
        square = float(self.value @ self.value)
        if self.count == 1 or square == 0:
            return self.value
        spread = max(0.0, self.squares - self.count * square) / (self.count - 1)
        return self.value * max(0.0, 1 - spread / self.count / square)


def mean_update(deltas: Iterable[Vector]) -> Mean | None:
    """Returns the mean of ``deltas``, each with the same weight, or None where there is none.

    Guarantees:
      * one update is held at a time, beside the float64 sum;
      * they are added in the order given: the same order gives the same bits;
      * no weight depends on a device; the denominator is the number of updates.

    Args:
        deltas: Admitted updates, [trainable] float32 each, in device order.
    """
    total: NDArray[np.float64] | None = None
    count, squares = 0, 0.0
    for delta in deltas:
        total = delta.astype(np.float64) if total is None else np.add(total, delta, out=total)
        count += 1
        squares += float(np.square(delta, dtype=np.float64).sum())
    if total is None:
        return None
    return Mean(value=total / count, count=count, squares=squares)
