"""The colour of a PNG that stands for nothing: its key of transparency, compared exactly."""

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

Keyed = Callable[[Image.Image], NDArray[np.bool_]]
"""From the image to [height, width]: which of its pixels have the colour."""

# Numbers of a key by the colour type: grey has one, red, green and blue are three.
_NUMBERS = {0: 1, 2: 3}
# Bits of a sample where the decoder cuts colours to eight.
_WIDE = 16


def keyed(header: bytes, key: bytes, pixels: bytes) -> Keyed | None:
    """Returns what finds the pixels that have the key's colour; None where none is keyed.

    Of the key as many low bits count as a sample has, as the format asks, and one that is too
    short or beside another type of colours is none.

    Args:
        header: What IHDR holds.
        key: What tRNS holds.
        pixels: The file without tRNS.
    """
    depth, kind = header[8:10]
    numbers = _NUMBERS.get(kind)
    if numbers is None or len(key) != 2 * numbers:
        return None
    colour = np.array(struct.unpack(f">{numbers}H", key)) & (2**depth - 1)
    if numbers == 1:
        return lambda image: _grey(image, depth) == colour
    if depth == _WIDE:
        return lambda image: _wide(image, pixels, colour)
    return lambda image: _all(np.asarray(image) == colour)


def _grey(image: Image.Image, depth: int) -> NDArray[np.uint16]:
    """Samples as they were stored: the decoder spreads those of 2 and 4 bits over a byte."""
    samples = np.asarray(image)
    spread = 255 // (2**depth - 1) if image.mode == "L" else 1
    return (samples // spread).astype(np.uint16)


def _wide(image: Image.Image, pixels: bytes, colour: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Compares both bytes of a sample, of which the decoder keeps the upper."""
    upper = _all(np.asarray(image) == colour >> 8)
    return upper & _all(np.asarray(_lower(pixels)) == colour & 255)


def _lower(pixels: bytes) -> Image.Image:
    """The picture of the lower bytes: those that would be the upper in the other byte order."""
    image = PngImageFile(BytesIO(pixels))
    image.tile = [tile._replace(args="RGB;16L") for tile in image.tile]
    return image


def _all(same: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(same.all(axis=-1), dtype=np.bool_)
