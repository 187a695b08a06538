"""A picture as its file stores it."""

from dataclasses import dataclass

from PIL import Image

from photos.folder.formats.colour_key import Keyed

MOST_PARTS = 2**20
"""Segments or chunks of a file that are looked at: the largest PNG has 31,250 of 8 kB, as they
are mostly written. Without it a file of empty ones takes minutes."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Stored:
    """The pixels, not decoded yet, and apart from them what stands beside them.

    Attributes:
        image: Opened from a stream that holds the pixels alone, so that nothing beside them
            can cost them.
        exif: Blocks of EXIF as they were found, each of which may be rubbish.
        xmp: Packets of XMP likewise.
        keyed: Which pixels have the colour that stands for nothing; None where no colour does.
        upright: Whether the decoder itself turns it, so that EXIF and XMP say nothing new.
    """

    image: Image.Image
    exif: tuple[bytes, ...] = ()
    xmp: tuple[bytes, ...] = ()
    keyed: Keyed | None = None
    upright: bool = False
