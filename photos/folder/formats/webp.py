"""WebP: the chunks that make its pixels, and apart from them those beside."""

import struct
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import BinaryIO

from PIL.WebPImagePlugin import WebPImageFile

from photos.folder.formats.stored import MOST_PARTS, Beside, Stored

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
    view, pixels = memoryview(data), [KIND]
    for kind, start, length in islice(_chunks(BytesIO(data)), MOST_PARTS):
        whole = view[start - _HEAD : start + length + length % 2]
        if kind == _FEATURES:
            pixels.append(_features(whole))
        elif kind in _PIXELS:
            pixels.append(bytes(whole))
    body = b"".join(pixels)
    image = WebPImageFile(BytesIO(MAGIC + struct.pack("<L", len(body)) + body))
    return Stored(image=image, beside=beside_webp(BytesIO(data)))


def beside_webp(file: BinaryIO) -> Beside:
    """Returns what stands beside a WebP's pixels, which are passed over."""
    found: dict[bytes, list[bytes]] = {b"EXIF": [], b"XMP ": []}
    kinds = set()
    for kind, start, length in islice(_chunks(file), MOST_PARTS):
        kinds.add(kind)
        if kind in found and len(found[kind]) < _MOST:
            file.seek(start)
            found[kind].append(file.read(length))
    return Beside(
        exif=tuple(found[b"EXIF"]),
        xmp=tuple(found[b"XMP "]),
        openable=not kinds.isdisjoint((*_STILLS, b"ANMF")),
    )


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's kind, the place of its content, and the length that it says."""
    place = _FILE_HEAD
    while len(head := _at(file, place)) == _HEAD:
        kind, length = struct.unpack("<4sL", head)
        yield kind, place + _HEAD, length
        place += _HEAD + length + length % 2


def _at(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    return file.read(_HEAD)


def _features(chunk: memoryview) -> bytes:
    head, content = bytes(chunk[:_HEAD]), bytearray(chunk[_HEAD:])
    content[:1] = bytes(flags & (_ANIMATION | _ALPHA) for flags in content[:1])
    return head + bytes(content)
