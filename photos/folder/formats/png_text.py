"""The text chunks of a PNG that hold EXIF or XMP."""

import zlib

PROFILE, PACKET = b"Raw profile type exif", b"XML:com.adobe.xmp"
"""The keywords of texts that hold EXIF and XMP."""

# Bytes that are unpacked: EXIF has 64 kB in a JPEG, and a packet of XMP with a long history of
# edits a few MB. Without them a small chunk of zeros fills the memory.
_LONGEST, _LONGEST_PACKET = 2**20, 2**24
# Lines before the digits of a raw profile: an empty one, its name and its length.
_PROFILE_HEAD = 3


def text_of(kind: bytes, content: bytes | memoryview) -> tuple[bytes, bytes]:
    """Returns a text chunk's keyword and its text, unpacked; empty what cannot be read.

    Args:
        kind: tEXt, zTXt or iTXt.
        content: What the chunk holds; a megabyte of it is read, and 16 of a packet.
    """
    is_packet = content[: len(PACKET) + 1] == PACKET + b"\0"
    longest = _LONGEST_PACKET if is_packet else _LONGEST
    keyword, _, rest = bytes(content[:longest]).partition(b"\0")
    if kind == b"tEXt":
        return keyword, rest
    if kind == b"zTXt":
        return keyword, _unpacked(rest[1:], longest)
    packed, (_, _, text) = rest[:1] != b"\0", _three(rest[2:])
    return keyword, _unpacked(text, longest) if packed else text


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


def _unpacked(packed: bytes, longest: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, longest)
    except zlib.error:
        return b""
