"""How a photograph looks, in 64 bits: near duplicates have nearly the same."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Pixels to which a photo is averaged, across and down: eight differences in each of eight rows.
_ACROSS, _DOWN = 9, 8

DIFFERENCES = (_ACROSS - 1) * _DOWN
"""Bits of a difference hash."""


def difference_hash(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Returns [64] whether brightness falls from each place to the next on the right.

    Args:
        pixels: [side, side, 3] uint8 RGB.
    """
    grey = Image.fromarray(pixels).convert("L")
    small = np.asarray(grey.resize((_ACROSS, _DOWN), Image.Resampling.BOX), dtype=np.int64)
    falls: NDArray[np.bool_] = (small[:, :-1] > small[:, 1:]).reshape(-1)
    return falls
