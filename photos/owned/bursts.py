"""Bursts: photos of a moment that are near each other in time and alike in their pixels."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray


def bursts(
    times: Sequence[datetime],
    hashes: Sequence[NDArray[np.bool_]],
    *,
    gap: float,
    distance: int,
) -> NDArray[np.int64]:
    """Returns [photos] numbers that are equal for photos of one burst, from 0.

    A photo joins the burst of the last earlier one that is within ``gap`` of it and like it.

    Args:
        times: Of each photo, in order.
        hashes: Difference hash of each photo.
        gap: Seconds.
        distance: Bits that may differ.
    """
    numbers: list[int] = []
    for place, taken in enumerate(times):
        like = (
            earlier
            for earlier in reversed(range(place))
            if (taken - times[earlier]).total_seconds() <= gap
            and np.count_nonzero(hashes[earlier] != hashes[place]) <= distance
        )
        earlier = next(like, None)
        new = max(numbers, default=-1) + 1
        numbers.append(new if earlier is None else numbers[earlier])
    return np.array(numbers, dtype=np.int64)
