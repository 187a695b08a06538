"""A picture as its file stores it."""

from dataclasses import dataclass
from typing import Self

from PIL import Image

from photos.folder.formats.colour_key import Keyed

MOST_PARTS = 2**20
"""Segments or chunks of a file that are looked at: the largest PNG has 31,250 of 8 kB, as they
are mostly written. Without it a file of empty ones takes minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """What a file holds beside its pixels.

    Attributes:
        exif: Blocks of EXIF as they were found, each of which may be rubbish.
        xmp: Packets of XMP likewise.
        openable: Whether there is a picture in it, and something to decode it, as far as its
            head says.
    """

    exif: tuple[bytes, ...] = ()
    xmp: tuple[bytes, ...] = ()
    openable: bool = True

    @classmethod
    def of(cls, image: Image.Image) -> Self:
        """Returns what a decoder found as it opened a file."""
        blocks = (image.info.get("exif"), image.info.get("xmp"))
        exif, xmp = ((block,) if isinstance(block, bytes) else () for block in blocks)
        return cls(exif=exif, xmp=xmp)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Stored:
    """The pixels, not decoded yet, and apart from them what stands beside them.

    Attributes:
        image: Opened from a stream that holds the pixels alone, so that nothing beside them
            can cost them.
        beside: What was found beside them.
        keyed: Which pixels have the colour that stands for nothing; None where no colour does.
        upright: Whether the decoder itself turns it, so that EXIF and XMP say nothing new.
    """

    image: Image.Image
    beside: Beside = Beside()
    keyed: Keyed | None = None
    upright: bool = False
