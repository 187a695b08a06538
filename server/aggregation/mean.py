"""The mean of the admitted updates, each with the same weight."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from privacy.mechanisms.release import Mean
from protocol.messages import Vector

Floats = NDArray[np.float64]


def mean_update(deltas: Iterable[Vector]) -> Mean | None:
    """Returns the mean of ``deltas``, each with the same weight, or None where there is none.

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
        total = delta.astype(np.float64) if total is None else np.add(total, delta, out=total)
        count += 1
    return None if total is None else Mean(value=total / count, count=count)
