"""Which format a file has: by its first bytes, and by its name only where those are TIFF's."""

from collections.abc import Callable

from photos.folder.formats import avif, heif, jpeg, png, raw, webp
from photos.folder.formats.stored import Stored
from photos.folder.skips import Skip

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif")
"""How files of photos are called, in any case."""

RAW_SUFFIXES = (
    *(".cr2", ".cr3", ".nef", ".arw", ".dng"),
    *(".raf", ".orf", ".rw2", ".pef", ".srw"),
)
"""How files of camera raw are called: their first bytes are often those of any TIFF."""

HEAD = 64
"""Bytes of a file by which its format is told: more than any has of its own."""

Opener = Callable[[bytes], Stored | Skip]

# Bytes of each name that a file of boxes calls itself by.
_BRAND = 4
# Bytes of a box's head, its length and its kind, after which the first name stands.
_BOX_HEAD = 8


def opener_of(head: bytes, *, suffix: str) -> Opener | None:
    """Returns what opens a file that begins like this; None where it is no photo.

    Args:
        head: The first 64 bytes, or all of fewer.
        suffix: The end of the file's name, from its dot.
    """
    brands = _brands(head)
    if head.startswith(jpeg.MAGIC):
        return jpeg.open_jpeg
    if head.startswith(png.MAGIC):
        return png.open_png
    if head.startswith(webp.MAGIC) and head[8:12] == webp.KIND:
        return webp.open_webp
    if brands & avif.BRANDS:
        return avif.open_avif
    if brands & heif.BRANDS:
        return heif.open_heif
    return raw.open_raw if suffix.lower() in RAW_SUFFIXES else None


def _brands(head: bytes) -> set[bytes]:
    """The names that a file of boxes calls itself by; none where it is no such file."""
    if head[_BRAND:_BOX_HEAD] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:_BRAND]), len(head))
    return {head[place : place + _BRAND] for place in range(_BOX_HEAD, end, _BRAND)}
