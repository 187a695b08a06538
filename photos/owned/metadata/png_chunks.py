"""EXIF and XMP of a PNG file that stand behind its pixels, where many programs write them."""

import struct
from typing import BinaryIO

# Of each chunk: bytes of its content, and its kind.
_HEAD = struct.Struct(">I4s")
# Bytes of a PNG file's signature.
_SIGNATURE = 8
# Bytes of a chunk's checksum.
_CHECKSUM = 4
# Chunks that are passed: a large photograph in pieces of 8 KB has as many. Without it a file of
# empty chunks takes minutes.
_MOST_CHUNKS = 2**15
# Bytes of a chunk that is read: a JPEG file has room for no more EXIF. Without it one chunk may
# claim 4 GB.
_LARGEST_CHUNK = 2**24
_XMP = b"XML:com.adobe.xmp\0"
# Bytes behind an international text's keyword that say whether, and how, it is compressed.
_FLAGS = 2


def late_chunks(file: BinaryIO) -> tuple[bytes, bytes]:
    """Returns the EXIF and the XMP packet of a PNG file; nothing where there is none.

    Raises:
        OSError: The file cannot be read.
    """
    exif = packet = b""
    file.seek(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            break
        length, kind = _HEAD.unpack(head)
        if kind in (b"eXIf", b"iTXt") and length <= _LARGEST_CHUNK:
            content = file.read(length)
            exif = exif or (content if kind == b"eXIf" else b"")
            packet = packet or (_text(content) if kind == b"iTXt" else b"")
            length = 0
        file.seek(length + _CHECKSUM, 1)
    return exif, packet


def _text(content: bytes) -> bytes:
    """The XMP packet in an international text that is not compressed."""
    if not content.startswith(_XMP + b"\0"):
        return b""
    _, _, rest = content[len(_XMP) + _FLAGS :].partition(b"\0")
    return rest.partition(b"\0")[2]
