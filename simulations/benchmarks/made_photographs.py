"""JPEG files of 12 million pixels, as a folder library: made on the spot, for measuring."""

import shutil
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from photos.library import LARGEST_MOMENT

WIDTH, HEIGHT = 4000, 3000
"""Pixels: 12 million, as phones have them."""

DEVICE = 504
"""Photographs of a device: 42 whole moments."""

# Distinct pictures: the others are these with another number in a comment. Encoding each takes
# half a second.
_PICTURES = 40
# Patches down and across from which a picture is enlarged.
_PATCHES = (24, 32)
# Of JPEG, as phones write it: another quality changes the bytes, and what decoding them takes.
_QUALITY = 90
# Bytes of a file that fit the disk twice over, before any is made.
_LARGEST = {False: 2**20, True: 5 * 2**20}


def make(root: Path, *, count: int, grain: bool) -> list[Path]:
    """Writes ``root/<device>/<moment>/<place>.jpg``, no two of which are the same bytes.

    Args:
        root: An empty folder.
        count: Photographs, at least 2.
        grain: Whether pictures have a camera's noise, and with it 4 MB; without they have one.

    Raises:
        ValueError: They would not fit the disk; nothing is written.
    """
    needed = count * _LARGEST[grain]
    if needed > shutil.disk_usage(root).free:
        raise ValueError(
            f"--photographs {count} needs {needed / 2**30:.0f} GB of {root}: take fewer."
        )
    pictures = [_picture(seed, grain=grain) for seed in range(min(count, _PICTURES))]
    paths = []
    for number in range(count):
        device, place = divmod(number, DEVICE)
        moment, place = divmod(place, LARGEST_MOMENT)
        path = root / f"{device:03}" / f"{moment:02}" / f"{place:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_with_comment(pictures[number % len(pictures)], str(number)))
        paths.append(path)
    return paths


def _picture(seed: int, *, grain: bool) -> bytes:
    draws = np.random.default_rng(seed)
    patches = draws.integers(0, 256, (*_PATCHES, 3), dtype=np.uint8)
    image = Image.fromarray(patches).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    if grain:
        noise = draws.normal(0, 8, (HEIGHT, WIDTH, 1))
        noisy = np.clip(np.asarray(image) + noise, 0, 255)
        image = Image.fromarray(noisy.astype(np.uint8))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()


def _with_comment(jpeg: bytes, words: str) -> bytes:
    content = words.encode()
    return jpeg[:2] + struct.pack(">HH", 0xFFFE, len(content) + 2) + content + jpeg[2:]
