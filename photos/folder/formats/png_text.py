"""The text chunks of a PNG that hold EXIF or XMP."""

import zlib

# Bytes that are unpacked: EXIF has 64 kB in a JPEG. Without it a small chunk of zeros fills the
# memory.
_LONGEST = 2**20
# Lines before the digits of a raw profile: an empty one, its name and its length.
_PROFILE_HEAD = 3


def text_of(kind: bytes, content: bytes | memoryview) -> tuple[bytes, bytes]:
    """Returns a text chunk's keyword and its text, unpacked; empty what cannot be read.

    Args:
        kind: tEXt, zTXt or iTXt.
        content: What the chunk holds; a megabyte of it is read.
    """
    keyword, _, rest = bytes(content[:_LONGEST]).partition(b"\0")
    if kind == b"tEXt":
        return keyword, rest
    if kind == b"zTXt":
        return keyword, _unpacked(rest[1:])
    packed, (_, _, text) = rest[:1] != b"\0", _three(rest[2:])
    return keyword, _unpacked(text) if packed else text


def profile_of_exif(text: bytes) -> bytes:
    """Returns the EXIF of a "Raw profile type exif", as ImageMagick writes it in hex digits."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[_PROFILE_HEAD:]).decode("ascii"))
    except ValueError:
        return b""


def _three(rest: bytes) -> tuple[bytes, bytes, bytes]:
    """The language, the keyword in it and the text of an iTXt chunk."""
    language, _, more = rest.partition(b"\0")
    keyword, _, text = more.partition(b"\0")
    return language, keyword, text


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _LONGEST)
    except zlib.error:
        return b""
