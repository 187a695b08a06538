"""JPEG: the segments that make its pixels, and apart from them those beside."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import BinaryIO

from PIL.JpegImagePlugin import JpegImageFile

from photos.folder.formats.stored import MOST_PARTS, Beside, Stored
from photos.folder.skips import LARGEST_BYTES

MAGIC = b"\xff\xd8\xff"

# Second bytes of markers by ITU-T T.81: a picture's start and end, and the start of a scan.
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
# Those that begin a frame: SOF0 to SOF15 but DHT, JPG and DAC, which lie between.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
# After 0xff these begin no segment: stuffing, TEM, RST0 to RST7 and fill.
_EMPTY = (0x00, 0x01, *range(0xD0, 0xD8), 0xFF)
# The markers of what stands beside the pixels: sixteen for applications, and comments.
_APP0, _APP1, _APP14, _COMMENT = 0xE0, 0xE1, 0xEE, 0xFE
_BESIDE = (*range(_APP0, _APP0 + 16), _COMMENT)
_EXIF, _XMP = b"Exif", b"http://ns.adobe.com/xap/1.0/\0"
# Bytes from which libjpeg takes a JFIF and an Adobe segment for one: each says how colours are
# to be read.
_JFIF_LENGTH, _ADOBE_LENGTH = 14, 12
# A JFIF segment that says nothing but that it is one.
_JFIF = bytes.fromhex("ffe0 0010 4a46494600 0102 00 0001 0001 00 00")
# Blocks of EXIF, and packets of XMP, that are looked at beside the first: without it a file of
# them takes hours.
_MORE_BLOCKS = 4
# Bytes of a file in which its first scan mostly begins: EXIF has 64 kB, and so has a colour
# profile. Without it listing a library reads all of its bytes.
_FIRST = 2**18


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """A JPEG taken apart.

    Attributes:
        pixels: What makes the picture, as far as it is there.
        markers: Of all segments.
        beside: What stands beside the pixels.
    """

    pixels: list[bytes | memoryview]
    markers: set[int]
    beside: Beside


def open_jpeg(data: bytes) -> Stored:
    """Opens a JPEG; of one that holds several pictures the first.

    The decoder sees tables and scans alone, and that there was a JFIF or an Adobe segment.
    """
    parts = _apart(data)
    image = JpegImageFile(BytesIO(b"".join(parts.pixels)))
    return Stored(image=image, beside=parts.beside)


def beside_jpeg(file: BinaryIO) -> Beside:
    """Returns what stands beside a JPEG's pixels, and reads no more of them than it must."""
    head = file.read(_FIRST)
    parts = _apart(head)
    if not parts.markers & {_START, _END, _SCAN}:
        parts = _apart(head + file.read(LARGEST_BYTES))
    return parts.beside


def _apart(data: bytes) -> _Parts:
    pixels: list[bytes | memoryview] = [b"\xff\xd8"]
    markers: set[int] = set()
    blocks: list[bytes] = []
    xmp: list[bytes] = []
    view = memoryview(data)
    for marker, start, payload, end in islice(_segments(data), MOST_PARTS):
        markers.add(marker)
        if marker not in _BESIDE:
            pixels.append(view[start:end])
        elif marker == _APP1:
            content = bytes(view[payload:end])
            blocks += [content] * content.startswith(_EXIF)
            xmp += [content.removeprefix(_XMP)] * content.startswith(_XMP)
        else:
            pixels.append(_colours(marker, view[start:end], view[payload:end]))
    beside = Beside(
        exif=_candidates(blocks),
        xmp=tuple(xmp[: 1 + _MORE_BLOCKS]),
        openable=_SCAN in markers and not markers.isdisjoint(_FRAMES),
    )
    return _Parts(pixels=pixels, markers=markers, beside=beside)


def _segments(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Each segment before the first scan, then the rest as one.

    Yields its marker, its first byte, the first byte of what it holds, and its end.
    """
    place = 2
    while (place := data.find(b"\xff", place)) != -1 and place + 1 < len(data):
        marker = data[place + 1]
        if marker in (_START, _END, _SCAN):
            yield marker, place, place, len(data)
            return
        if marker in _EMPTY:
            place += 1
            continue
        end = place + 2 + max(int.from_bytes(data[place + 2 : place + 4]), 2)
        yield marker, place, min(place + 4, end), end
        place = end


def _colours(marker: int, segment: memoryview, content: memoryview) -> bytes | memoryview:
    """What the decoder must know of a segment beside the pixels; mostly nothing."""
    if marker == _APP0 and len(content) >= _JFIF_LENGTH and bytes(content[:5]) == b"JFIF\0":
        return _JFIF
    if marker == _APP14 and len(content) >= _ADOBE_LENGTH and bytes(content[:5]) == b"Adobe":
        return segment
    return b""


def _candidates(blocks: list[bytes]) -> tuple[bytes, ...]:
    """What may be read as EXIF: all blocks as one, for long EXIF goes on, then later ones."""
    if not blocks:
        return ()
    head = len(_EXIF) + 2
    whole = b"".join([blocks[0], *(block[head:] for block in blocks[1:])])
    return (whole, *blocks[1 : 1 + _MORE_BLOCKS])
