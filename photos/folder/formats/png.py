"""PNG: the chunks that make its pixels, and apart from them those beside."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

from PIL.PngImagePlugin import PngImageFile

from photos.folder.formats.colour_key import keyed
from photos.folder.formats.png_text import profile_of_exif, text_of
from photos.folder.formats.stored import MOST_PARTS, Stored

MAGIC = b"\x89PNG\r\n\x1a\n"

# Bytes of a chunk's head, its length and its kind, and of its checksum.
_HEAD, _CHECKSUM = 8, 4
# The place of the colour type in the first chunk, and the type that has a palette.
_COLOUR_TYPE, _INDEXED = 9, 3
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Chunks of side data that are looked at. Without it a file of nothing else takes hours.
_MOST = 64
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
    beside: list[_Chunk] = []
    header = key = b""
    for chunk in islice(_chunks(data), MOST_PARTS):
        header = header or bytes(chunk.content)
        if chunk.kind in _needed(header):
            pixels.append(_checked(chunk))
        elif chunk.kind == b"tRNS":
            key = key or bytes(chunk.content) * chunk.sound
        elif len(beside) < _MOST and chunk.kind in (b"eXIf", *_TEXTS):
            beside.append(chunk)
    stream = b"".join([*pixels, _END])
    texts = [text_of(one.kind, one.content) for one in beside if one.kind in _TEXTS]
    return Stored(
        image=PngImageFile(BytesIO(stream)),
        keyed=keyed(header, key, stream) if key else None,
        exif=(
            *(bytes(one.content) for one in beside if one.kind == b"eXIf"),
            *(profile_of_exif(text) for key, text in texts if key == b"Raw profile type exif"),
        ),
        xmp=tuple(text for key, text in texts if key == b"XML:com.adobe.xmp"),
    )


def _chunks(data: bytes) -> Iterator[_Chunk]:
    view, place = memoryview(data), len(MAGIC)
    while place + _HEAD <= len(data):
        length, kind = struct.unpack_from(">L4s", data, place)
        end = place + _HEAD + length + _CHECKSUM
        if not kind.isalpha() or kind == b"IEND":
            return
        whole = view[place:end]
        checksum = zlib.crc32(whole[4 : _HEAD + length])
        yield _Chunk(
            kind=kind,
            whole=whole,
            content=whole[_HEAD : _HEAD + length],
            # A chunk that the end of the file cuts is judged by the decoder.
            sound=end > len(data) or checksum == int.from_bytes(view[end - _CHECKSUM : end]),
        )
        place = end


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
