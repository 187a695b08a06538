"""From a photograph's file to the square of pixels that the ranker sees."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from photos.folder.formats.detection import HEAD, format_of
from photos.folder.formats.exif import orientation
from photos.folder.formats.side_data import own_clock, read_side_data
from photos.folder.formats.stored import Stored
from photos.folder.framing import SMALLEST_SIDE, draft_size, square
from photos.folder.likeness import difference_hash
from photos.folder.photograph import Photograph
from photos.folder.regular_file import open_regular
from photos.folder.skips import LARGEST_BYTES, LARGEST_PIXELS, Skip

# What a photograph of which no pixel was decoded has in their place.
_NO_PIXELS = np.zeros(0, dtype=np.uint8)
_TRANSPARENT_MODES = ("RGBA", "LA", "PA")
# EXIF's number of an orientation -> what sets the picture upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(path: Path, *, side: int) -> Photograph | Skip:
    """Returns the photograph in a file, upright, as a square.

    JPEG, PNG, WebP, HEIC and AVIF are read, and of camera raw the preview inside it. Grey,
    16-bit, palette and CMYK photographs become RGB; transparency is laid on white. Colour
    profiles are ignored, and of an animation only the first picture counts. What stands beside
    the pixels, and cannot be read, costs nothing but itself: the time of capture, or which side
    is up. The same file gives the same pixels, whatever was read before.

    Args:
        path: A regular file; a symbolic link is not followed.
        side: Pixels of the result's side.

    Returns:
        The photograph, or why there is none; damaged or hostile files never raise.
    """
    content = content_of(path)
    if isinstance(content, Skip):
        return content
    return decode_content(content, name=path.name, side=side)


def glance(path: Path, *, side: int) -> Photograph | Skip:
    """Returns the photograph in a file without its pixels, or why there is none.

    What only decoding shows, such as half a download, goes unseen: then ``decode`` would have
    said why there is none. A file whose head holds no picture is decoded for the reason.

    Args:
        path: A regular file; a symbolic link is not followed.
        side: Pixels of a photograph's side, for the decoder.
    """
    read = read_side_data(path)
    if not read.format:
        return decode(path, side=side)
    return Photograph(name=path.name, taken=own_clock(read.beside), pixels=_NO_PIXELS)


def content_of(path: Path) -> bytes | Skip:
    """Returns the bytes of a photograph's file, or why it cannot be read; it never raises.

    Args:
        path: A regular file; a symbolic link is not followed.
    """
    file = open_regular(path, largest=LARGEST_BYTES)
    if isinstance(file, Skip):
        return file
    try:
        with file:
            return file.read(LARGEST_BYTES)
    except (OSError, MemoryError):
        return Skip.DAMAGED


def decode_content(content: bytes, *, name: str, side: int) -> Photograph | Skip:
    """Returns the photograph in the bytes of a file, as ``decode`` does.

    Args:
        content: All of the file.
        name: Its name.
        side: Pixels of the result's side.
    """
    try:
        with _quiet():
            return _decode(content, name, side)
    except Exception:
        # A crafted file makes Pillow's decoders raise almost anything (struct.error,
        # SyntaxError, zlib.error, ...); none of it may end a device's training.
        return Skip.DAMAGED


@contextmanager
def _quiet() -> Iterator[None]:
    # Pillow's warnings name the file, which is the owner's alone.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _decode(content: bytes, name: str, side: int) -> Photograph | Skip:
    found = format_of(content[:HEAD], suffix=Path(name).suffix)
    if found is None:
        return Skip.NOT_A_PHOTO
    stored = found.open(content)
    if isinstance(stored, Skip):
        return stored
    image = stored.image
    if image.width * image.height > LARGEST_PIXELS:
        return Skip.TOO_LARGE
    if min(image.size) < SMALLEST_SIDE:
        return Skip.TOO_SMALL
    extent = _draft(image, side)
    framed = square(_without_key(stored), side=side, extent=extent)
    pixels = np.asarray(_upright(framed, stored), dtype=np.uint8)
    return Photograph(
        name=name,
        taken=own_clock(stored.beside),
        pixels=pixels,
        likeness=difference_hash(pixels),
    )


def _draft(image: Image.Image, side: int) -> tuple[float, float]:
    """Has a JPEG decoded at 1/2, 1/4 or 1/8, for a fraction of the time; returns its extent."""
    if isinstance(image, JpegImageFile):
        drafted = image.draft(None, draft_size(image.size, side=side))
        if drafted is not None:
            return drafted[1][2:]
    return image.size


def _without_key(stored: Stored) -> Image.Image:
    """The picture in RGB, white where its colour stands for nothing."""
    colours = _rgb(stored.image)
    if stored.keyed is not None:
        colours.paste("white", mask=Image.fromarray(stored.keyed(stored.image)))
    return colours


def _upright(image: Image.Image, stored: Stored) -> Image.Image:
    turn = _TURNS.get(orientation(stored.beside.exif, stored.beside.xmp))
    return image if turn is None or stored.upright else image.transpose(turn)


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
