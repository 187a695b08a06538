"""From an upright picture of any shape to the square of pixels that the ranker sees."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SMALLEST_SIDE = 8
"""Pixels of a photo's shorter side: a block of a JPEG has them. Without it a file of one pixel,
by which web pages count visits, is ranked as a photo."""

LONGEST_SHAPE = 2
"""Longer side over shorter side of what is cropped to its centre: cameras make 1 to 1.8.
Without it a panorama of 12 to 1 is judged by the twelfth in its middle."""

# Sides that a picture has at least where it is decoded smaller than it is: Lanczos' filter then
# still reduces it. Without it each JPEG is decoded whole, which takes longer.
_DRAFT_SCALE = 4


def square(image: Image.Image, *, side: int) -> NDArray[np.uint8]:
    """Returns [side, side, 3] uint8: an RGB picture, reduced by Lanczos' filter.

    Of a picture up to 2 to 1 the centre square is kept, for padding would show the ranker
    borders that no camera made. A longer one would lose more than half of itself: it is fitted
    in whole, between bars of its mean colour.
    """
    if cropped(image.size):
        fitted = ImageOps.fit(image, (side, side), method=Image.Resampling.LANCZOS)
        return np.asarray(fitted, dtype=np.uint8)
    longest = max(image.size)
    width, height = (max(round(side * length / longest), 1) for length in image.size)
    whole = image.resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.empty((side, side, 3), dtype=np.uint8)
    pixels[:] = np.asarray(whole).mean(axis=(0, 1)).round()
    top, left = (side - height) // 2, (side - width) // 2
    pixels[top : top + height, left : left + width] = np.asarray(whole)
    return pixels


def cropped(size: tuple[int, int]) -> bool:
    """Says whether a picture of this size is cropped to its centre square."""
    return max(size) <= LONGEST_SHAPE * min(size)


def draft_size(size: tuple[int, int], *, side: int) -> tuple[int, int]:
    """Returns the smallest size that a picture may be decoded at before it becomes a square.

    What the square takes of it, its shorter side or all of it, keeps at least four pixels for
    each of the square's.
    """
    taken = min(size) if cropped(size) else max(size)
    scale = max(taken // (_DRAFT_SCALE * side), 1)
    width, height = (max(length // scale, 1) for length in size)
    return width, height
