"""Which format a file has, by its first bytes and never by its name."""

from collections.abc import Callable

from photos.folder.formats import jpeg, png, webp
from photos.folder.formats.stored import Stored

Opener = Callable[[bytes], Stored]

HEAD = 64
"""Bytes of a file by which its format is told."""


def opener_of(head: bytes) -> Opener | None:
    """Returns what opens a file that begins like this; None where it is no photo."""
    if head.startswith(jpeg.MAGIC):
        return jpeg.open_jpeg
    if head.startswith(png.MAGIC):
        return png.open_png
    if head.startswith(webp.MAGIC) and head[8:12] == webp.KIND:
        return webp.open_webp
    return None
