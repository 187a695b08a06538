"""WebP: the chunks that make its pixels, and apart from them those beside."""

import struct
from collections.abc import Iterator
from io import BytesIO
from itertools import islice

from PIL.WebPImagePlugin import WebPImageFile

from photos.folder.formats.stored import MOST_PARTS, Stored

MAGIC = b"RIFF"
KIND = b"WEBP"

# Bytes of the file's head, and of a chunk's: its kind and its length.
_FILE_HEAD, _HEAD = 12, 8
_FEATURES, _STILLS = b"VP8X", (b"VP8 ", b"VP8L")
_PIXELS = (_FEATURES, b"ALPH", b"ANIM", b"ANMF", *_STILLS)
# Bits of the features: there is an animation, or transparency. Those of a colour profile, of
# EXIF and of XMP speak of chunks that are left out.
_ANIMATION, _ALPHA = 0x02, 0x10
# Chunks of EXIF and of XMP that are looked at. Without it a file of nothing else takes hours.
_MOST = 4


def open_webp(data: bytes) -> Stored:
    """Opens a WebP; of an animated one the first picture counts.

    The decoder sees the chunks that make the picture alone, whatever length the file's head
    says.
    """
    pixels: list[bytes] = []
    beside: dict[bytes, list[bytes]] = {b"EXIF": [], b"XMP ": []}
    for kind, whole in islice(_chunks(data), MOST_PARTS):
        if kind == _FEATURES:
            pixels.append(_features(whole))
        elif kind in _PIXELS:
            pixels.append(bytes(whole))
        elif len(beside.get(kind, [None] * _MOST)) < _MOST:
            beside[kind].append(_content(whole))
    body = b"".join([KIND, *pixels])
    image = WebPImageFile(BytesIO(MAGIC + struct.pack("<L", len(body)) + body))
    return Stored(image=image, exif=tuple(beside[b"EXIF"]), xmp=tuple(beside[b"XMP "]))


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Each chunk's kind and its bytes, head and all, as far as the file has them."""
    view, place = memoryview(data), _FILE_HEAD
    while place + _HEAD <= len(data):
        kind, length = struct.unpack_from("<4sL", data, place)
        end = place + _HEAD + length + length % 2
        yield kind, view[place:end]
        place = end


def _content(chunk: memoryview) -> bytes:
    (length,) = struct.unpack_from("<4xL", chunk)
    return bytes(chunk[_HEAD : _HEAD + length])


def _features(chunk: memoryview) -> bytes:
    head, content = bytes(chunk[:_HEAD]), bytearray(chunk[_HEAD:])
    content[:1] = bytes(flags & (_ANIMATION | _ALPHA) for flags in content[:1])
    return head + bytes(content)
