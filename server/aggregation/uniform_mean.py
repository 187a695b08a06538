"""The rule ``mean``: every update has the same weight."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from protocol.messages import Vector

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class UniformMean:
    """The mean of the updates that came; it has no settings.

    Attributes:
        rule: The rule's name.
    """

    rule: Literal["mean"] = "mean"

    @property
    def sensitivity(self) -> float:
        """One: of the sum that a mechanism of the server releases in the place of this mean."""
        return 1.0

    def aggregate(self, deltas: Iterable[Vector]) -> Floats | None:
        """Returns the mean of ``deltas``, or None where there is none.

        Guarantees:
          * one update is held at a time, beside the float64 sum;
          * they are added in the order given: the same order gives the same bits;
          * no weight depends on a device; the denominator is the number of updates.

        Args:
            deltas: Admitted updates, [trainable] float32 each, in device order.
        """
        total: Floats | None = None
        count = 0
        for delta in deltas:
            count += 1
            if total is None:
                total = delta.astype(np.float64)
            else:
                total += delta
        return None if total is None else total / count
