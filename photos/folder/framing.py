"""From a picture of any shape to the square of pixels that the ranker sees."""

import numpy as np
from PIL import Image

SMALLEST_SIDE = 8
"""Pixels of a photo's shorter side: a block of a JPEG has them. Without it a file of one pixel,
by which web pages count visits, is ranked as a photo."""

LONGEST_SHAPE = 2
"""Longer side over shorter side of what is cropped to its centre: cameras make 1 to 1.8.
Without it a panorama of 12 to 1 is judged by the twelfth in its middle."""

# Sides that a picture has at least where it is decoded smaller than it is: Lanczos' filter then
# still reduces it. Without it each JPEG is decoded whole, which takes longer.
_DRAFT_SCALE = 4


Size = tuple[float, float]


def square(image: Image.Image, *, side: int, extent: Size | None = None) -> Image.Image:
    """Returns a square of an RGB picture, reduced by Lanczos' filter.

    Of a picture up to 2 to 1 the centre square is kept, for padding would show the ranker
    borders that no camera made. A longer one would lose more than half of itself: it is fitted
    in whole, between bars of its mean colour.

    Args:
        image: The picture.
        side: Pixels of the square's side.
        extent: How far from the upper left corner the picture reaches, which a draft does not
            always fill to its last pixel; None for all of the image.
    """
    width, height = extent or image.size
    if cropped((width, height)):
        left, top = (max(length - min(width, height), 0) / 2 for length in (width, height))
        return _reduced(image, (side, side), (left, top, width - left, height - top))
    lengths = (side * length / max(width, height) for length in (width, height))
    across, down = (max(round(length), 1) for length in lengths)
    whole = _reduced(image, (across, down), (0, 0, width, height))
    mean = np.asarray(whole).mean(axis=(0, 1)).round()
    bars = Image.fromarray(np.full((side, side, 3), mean, dtype=np.uint8))
    bars.paste(whole, ((side - across) // 2, (side - down) // 2))
    return bars


def _reduced(
    image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS, box=box)


def cropped(size: Size) -> bool:
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
