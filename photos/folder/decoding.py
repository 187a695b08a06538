"""From a photograph's file to the square of pixels that the ranker sees."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from photos.folder.regular_file import open_regular
from photos.folder.skips import LARGEST_BYTES, LARGEST_PIXELS, Skip

FORMATS = ("JPEG", "PNG", "WEBP")

# Tags of EXIF: its own directory, DateTimeOriginal and SubSecTimeOriginal.
_EXIF_IFD, _TAKEN, _TAKEN_FRACTION = 0x8769, 0x9003, 0x9291
_TRANSPARENT_MODES = ("RGBA", "LA", "PA")
# Sides that a JPEG has at least where it is decoded smaller than it is: Lanczos' filter then
# still reduces it. Without it each JPEG is decoded whole, which takes longer.
_DRAFT_SCALE = 4
_SKIPS = (
    (UnidentifiedImageError, Skip.NOT_A_PHOTO),
    (Image.DecompressionBombError, Skip.TOO_LARGE),
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Photograph:
    """A decoded photograph.

    Attributes:
        name: File name.
        taken: EXIF time of capture by the camera's own clock, or None where there is none.
        pixels: [side, side, 3] uint8 RGB.
    """

    name: str
    taken: datetime | None
    pixels: NDArray[np.uint8]


def decode(path: Path, *, side: int) -> Photograph | Skip:
    """Returns the photograph in a file, upright, cropped to its centre and resized.

    Grey, 16-bit, palette and CMYK photographs become RGB; transparency is laid on white. Colour
    profiles are ignored, and of an animation only the first picture counts.

    The centre square is kept because padding would show the ranker borders that no camera
    made. It is resized by Lanczos' filter, which widens with the reduction: averaging
    boxes would blur sharp and blurred photographs alike.

    Args:
        path: A regular file; a symbolic link is not followed.
        side: Pixels of the result's side.

    Returns:
        The photograph, or why there is none; damaged or hostile files never raise.
    """
    file = open_regular(path, largest=LARGEST_BYTES)
    if isinstance(file, Skip):
        return file
    try:
        with file, _quiet(), Image.open(file, formats=FORMATS) as image:
            return _decode(image, path.name, side)
    except Exception as error:
        # A crafted file makes Pillow's decoders raise almost anything (struct.error,
        # SyntaxError, zlib.error, ...); none of it may end a device's training.
        return next((skip for kind, skip in _SKIPS if isinstance(error, kind)), Skip.DAMAGED)


def square(image: Image.Image, *, side: int) -> NDArray[np.uint8]:
    """Returns [side, side, 3] uint8 RGB: the centre square of a picture of any mode."""
    fitted = ImageOps.fit(_rgb(image), (side, side), method=Image.Resampling.LANCZOS)
    return np.asarray(fitted, dtype=np.uint8)


@contextmanager
def _quiet() -> Iterator[None]:
    # Pillow's warnings name the file, which is the owner's alone.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _decode(image: Image.Image, name: str, side: int) -> Photograph | Skip:
    if image.width * image.height > LARGEST_PIXELS:
        return Skip.TOO_LARGE
    # JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the time.
    image.draft(None, (_DRAFT_SCALE * side, _DRAFT_SCALE * side))
    taken = _taken(image.getexif())
    upright = ImageOps.exif_transpose(image)
    return Photograph(name=name, taken=taken, pixels=square(upright, side=side))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grey: Pillow's own conversion would clip at 255 instead of scaling.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in _TRANSPARENT_MODES or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert(
            "RGB"
        )
    return image.convert("RGB")


def _taken(exif: Image.Exif) -> datetime | None:
    tags = exif.get_ifd(_EXIF_IFD)
    try:
        whole = datetime.strptime(str(tags.get(_TAKEN, "")).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        fraction = str(tags.get(_TAKEN_FRACTION, "")).strip("\0 ") or "0"
        return whole + timedelta(seconds=float(f"0.{fraction}"))
    except (ValueError, OverflowError):
        return None
