"""Files of pictures with something put beside their pixels."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def picture(width: int = 24, height: int = 16) -> Image.Image:
    """Colours that change from place to place, so that no turn and no shift goes unseen."""
    down, across = np.mgrid[:height, :width]
    colours = np.stack([across * 255 // width, down * 255 // height, (across + down) % 2 * 90])
    return Image.fromarray(np.moveaxis(colours, 0, -1).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def with_segment(
    jpeg: bytes, marker: int, content: bytes, *, length: int | None = None
) -> bytes:
    """A JPEG with one more segment after its first two bytes."""
    said = len(content) + 2 if length is None else length
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, said) + content + jpeg[2:]


def png_chunk(kind: bytes, content: bytes, *, sound: bool = True) -> bytes:
    checksum = zlib.crc32(kind + content) ^ (0 if sound else 1)
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", checksum)


def with_chunk(png: bytes, chunk: bytes, *, before: bytes = b"IDAT") -> bytes:
    """A PNG with one more chunk before the first of a kind."""
    place = png.index(before) - 4
    return png[:place] + chunk + png[place:]


def with_riff_chunk(
    webp: bytes, kind: bytes, content: bytes, *, length: int | None = None
) -> bytes:
    """A WebP, of the extended kind, with one more chunk at its end."""
    said = len(content) if length is None else length
    body = webp[12:] + kind + struct.pack("<L", said) + content + bytes(len(content) % 2)
    return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body
