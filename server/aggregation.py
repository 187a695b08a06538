"""What the admitted updates say together."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privacy.cohort_gaussian import CohortGaussian
from privacy.dpsgd import release
from privacy.noise import Source
from privacy.update_clipping import clipped_update
from protocol.messages import Vector


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mean:
    """The mean of ``count`` updates, or what stands for it.

    Attributes:
        value: [trainable] float64.
        count: Updates in it.
    """

    value: NDArray[np.float64]
    count: int


def protected_mean(
    deltas: Iterable[Vector], mechanism: CohortGaussian, *, size: int, source: Source
) -> Mean:
    """Returns the noisy sum of clipped ``deltas`` over the expected cohort.

    Guarantees:
      * each update moves the sum by at most ``mechanism.clip``, whatever it is;
      * the noise is the same whoever came, also where nobody did;
      * the divisor is the sampling's own, never the number that came.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        mechanism: What runs and is accounted.
        size: Length of an update.
        source: Secret draws of this round.
    """
    total = np.zeros(size)
    count = 0
    for delta in deltas:
        total += clipped_update(delta, mechanism.clip)
        count += 1
    released = release(
        total,
        deviation=mechanism.noise_multiplier * mechanism.clip,
        stream=source.stream("noise"),
    )
    expected = mechanism.sampling.rate * mechanism.sampling.devices
    return Mean(value=released / expected, count=count)


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
    count = 0
    for delta in deltas:
        total = delta.astype(np.float64) if total is None else np.add(total, delta, out=total)
        count += 1
    return None if total is None else Mean(value=total / count, count=count)
