"""Bursts: photos of a moment that are near each other in time and alike in their pixels."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Pixels to which a photo is averaged, across and down: eight differences in each of eight rows.
_ACROSS, _DOWN = 9, 8


def difference_hash(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Returns [64] whether brightness falls from each place to the next on the right.

    Args:
        pixels: [side, side, 3] uint8 RGB.
    """
    grey = Image.fromarray(pixels).convert("L")
    small = np.asarray(grey.resize((_ACROSS, _DOWN), Image.Resampling.BOX), dtype=np.int64)
    falls: NDArray[np.bool_] = (small[:, :-1] > small[:, 1:]).reshape(-1)
    return falls


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
