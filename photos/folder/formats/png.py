"""PNG: the chunks that make its pixels, and apart from them those beside."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from typing import BinaryIO

from PIL.PngImagePlugin import PngImageFile

from photos.folder.formats.colour_key import keyed
from photos.folder.formats.png_text import PACKET, PROFILE, profile_of_exif, text_of
from photos.folder.formats.stored import MOST_PARTS, Beside, Stored

MAGIC = b"\x89PNG\r\n\x1a\n"

# Bytes of a chunk's head, its length and its kind, and of its checksum.
_HEAD, _CHECKSUM = 8, 4
# The place of the colour type in the first chunk, and the type that has a palette.
_COLOUR_TYPE, _INDEXED = 9, 3
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Chunks of side data that are looked at. Without it a file of nothing else takes hours.
_MOST = 64
# Packets of XMP of them: each may have 16 MB.
_MOST_PACKETS = 4
# Bytes of such a chunk that are read: a packet has fewer. Without it one may claim 4 GB.
_LARGEST = 2**24
_END = b"\0\0\0\0IEND\xaeB`\x82"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Chunk:
    """One chunk.

    Attributes:
        kind: Its name of four letters.
        whole: All of its bytes that the file has.
        content: What it holds.
        sound: Whether it has the checksum that it says.
    """

    kind: bytes
    whole: memoryview
    content: memoryview
    sound: bool


def open_png(data: bytes) -> Stored:
    """Opens a PNG; of an animated one the picture that is shown where animations are not.

    The decoder sees the chunks that make the picture alone. One beside them whose checksum is
    wrong is left out.

    Raises:
        ValueError: A chunk that makes the picture has another checksum than it says.
    """
    pixels: list[bytes | memoryview] = [MAGIC]
    header = key = b""
    for place in islice(_chunks(BytesIO(data)), MOST_PARTS):
        chunk = _whole(memoryview(data), *place)
        header = header or bytes(chunk.content)
        if chunk.kind in _needed(header):
            pixels.append(_checked(chunk))
        elif chunk.kind == b"tRNS":
            key = key or bytes(chunk.content) * chunk.sound
    stream = b"".join([*pixels, _END])
    return Stored(
        image=PngImageFile(BytesIO(stream)),
        keyed=keyed(header, key, stream) if key else None,
        beside=_beside(_side_chunks(BytesIO(data), set())),
    )


def beside_png(file: BinaryIO) -> Beside:
    """Returns what stands beside a PNG's pixels, which are passed over: before or behind."""
    kinds: set[bytes] = set()
    found = _beside(_side_chunks(file, kinds))
    return replace(found, openable={b"IHDR", b"IDAT"} <= kinds)


def _beside(chunks: Iterable[tuple[bytes, bytes]]) -> Beside:
    exif: list[bytes] = []
    profiles: list[bytes] = []
    xmp: list[bytes] = []
    for kind, content in chunks:
        if kind == b"eXIf":
            exif.append(content)
            continue
        key, text = text_of(kind, content)
        profiles += [profile_of_exif(text)] * (key == PROFILE)
        xmp += [text] * (key == PACKET and len(xmp) < _MOST_PACKETS)
    return Beside(exif=(*exif, *profiles), xmp=tuple(xmp))


def _side_chunks(file: BinaryIO, kinds: set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The first chunks that may hold EXIF or XMP; ``kinds`` gets those of all chunks."""
    left = _MOST
    for kind, place, length in islice(_chunks(file), MOST_PARTS):
        kinds.add(kind)
        if left and kind in (b"eXIf", *_TEXTS):
            left -= 1
            file.seek(place)
            yield kind, file.read(min(length, _LARGEST))


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's kind, the place of its content, and the length that it says."""
    place = len(MAGIC)
    while len(head := _at(file, place)) == _HEAD:
        length, kind = struct.unpack(">L4s", head)
        if not kind.isalpha() or kind == b"IEND":
            return
        yield kind, place + _HEAD, length
        place += _HEAD + length + _CHECKSUM


def _at(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    return file.read(_HEAD)


def _whole(data: memoryview, kind: bytes, place: int, length: int) -> _Chunk:
    end = place + length + _CHECKSUM
    checksum = zlib.crc32(data[place - len(kind) : place + length])
    return _Chunk(
        kind=kind,
        whole=data[place - _HEAD : end],
        content=data[place : place + length],
        # A chunk that the end of the file cuts is judged by the decoder.
        sound=end > len(data) or checksum == int.from_bytes(data[end - _CHECKSUM : end]),
    )


def _needed(header: bytes) -> tuple[bytes, ...]:
    """The chunks that make a picture: a palette is mere advice where colours are not of it."""
    indexed = header[_COLOUR_TYPE : _COLOUR_TYPE + 1] == bytes([_INDEXED])
    return (b"IHDR", b"IDAT", *([b"PLTE", b"tRNS"] if indexed else []))


def _checked(chunk: _Chunk) -> bytes | memoryview:
    if chunk.sound:
        return chunk.whole
    if chunk.kind[:1].islower():
        return b""
    raise ValueError(f"the checksum of {chunk.kind!r} is wrong")
