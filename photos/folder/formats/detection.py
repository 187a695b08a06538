"""Which format a file has: by its first bytes, and by its name only where those are TIFF's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from photos.folder.formats import avif, heif, jpeg, png, raw, webp
from photos.folder.formats.stored import Beside, Stored
from photos.folder.skips import LARGEST_BYTES, Skip

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif")
"""How files of photos are called, in any case."""

RAW_SUFFIXES = (
    *(".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".dng"),
    *(".raf", ".orf", ".rw2", ".pef", ".srw", ".x3f", ".iiq", ".3fr"),
)
"""How files of camera raw are called: their first bytes are often those of any TIFF."""

PHOTO_SUFFIXES = (*SUFFIXES, *RAW_SUFFIXES)
"""How files are called that are read, by all sources."""

HEAD = 64
"""Bytes of a file by which its format is told: more than any has of its own."""

Opener = Callable[[bytes], Stored | Skip]


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A format of photographs.

    Attributes:
        name: As Pillow calls it.
        open: Opens a file's bytes.
        beside: Reads what stands beside the pixels of an open file, and decodes none of them.
    """

    name: str
    open: Opener
    beside: Callable[[BinaryIO], Beside]


def _beside_opened(opener: Opener, file: BinaryIO) -> Beside:
    """What a format that only its decoder can read has beside its pixels."""
    stored = opener(file.read(LARGEST_BYTES))
    return Beside(openable=False) if isinstance(stored, Skip) else stored.beside


JPEG = Format(name="JPEG", open=jpeg.open_jpeg, beside=jpeg.beside_jpeg)
PNG = Format(name="PNG", open=png.open_png, beside=png.beside_png)
WEBP = Format(name="WEBP", open=webp.open_webp, beside=webp.beside_webp)
AVIF = Format(name="AVIF", open=avif.open_avif, beside=partial(_beside_opened, avif.open_avif))
HEIF = Format(name="HEIF", open=heif.open_heif, beside=partial(_beside_opened, heif.open_heif))
RAW = Format(name="camera raw", open=raw.open_raw, beside=raw.beside_raw)

# Bytes of each name that a file of boxes calls itself by.
_BRAND = 4
# Bytes of a box's head, its length and its kind, after which the first name stands.
_BOX_HEAD = 8


def format_of(head: bytes, *, suffix: str) -> Format | None:
    """Returns the format of a file that begins like this; None where it is no photo.

    Args:
        head: The first 64 bytes, or all of fewer.
        suffix: The end of the file's name, from its dot.
    """
    brands = _brands(head)
    if head.startswith(jpeg.MAGIC):
        return JPEG
    if head.startswith(png.MAGIC):
        return PNG
    if head.startswith(webp.MAGIC) and head[8:12] == webp.KIND:
        return WEBP
    if brands & avif.BRANDS:
        return AVIF
    if brands & heif.BRANDS:
        return HEIF
    return RAW if suffix.lower() in RAW_SUFFIXES else None


def _brands(head: bytes) -> set[bytes]:
    """The names that a file of boxes calls itself by; none where it is no such file."""
    if head[_BRAND:_BOX_HEAD] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:_BRAND]), len(head))
    return {head[place : place + _BRAND] for place in range(_BOX_HEAD, end, _BRAND)}
