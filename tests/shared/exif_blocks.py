"""Blocks of EXIF, made tag by tag: sound ones, and rubbish of every kind."""

import struct

EXIF = 0x8769
ORIENTATION, TAKEN, FRACTION = 0x0112, 0x9003, 0x9291
BYTE, TEXT, SHORT, LONG, RATIO, OPAQUE, SIGNED = 1, 2, 3, 4, 5, 7, 9

Tag = tuple[int, int, int, bytes]
"""A tag's number, its type, its count and the bytes of its value."""


def text(tag: int, value: str | bytes) -> Tag:
    raw = value if isinstance(value, bytes) else value.encode("latin-1") + b"\0"
    return tag, TEXT, len(raw), raw


def short(tag: int, value: int, *, order: str = "<") -> Tag:
    return tag, SHORT, 1, struct.pack(f"{order}H", value)


def block(first: list[Tag], photo: list[Tag] | None = None, *, order: str = "<") -> bytes:
    """A block of EXIF whose first directory points to that of the photo, where there is one."""
    start = 8
    if photo is not None:
        first = [*first, (EXIF, LONG, 1, bytes(4))]
        end = start + len(_directory(first, start, order))
        first[-1] = (EXIF, LONG, 1, struct.pack(f"{order}L", end))
    body = _directory(first, start, order)
    if photo is not None:
        body += _directory(photo, start + len(body), order)
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HL", 42, start)
    return b"Exif\0\0" + head + body


def _directory(tags: list[Tag], start: int, order: str) -> bytes:
    entries, values = b"", b""
    place = start + 2 + 12 * len(tags) + 4
    for tag, kind, count, raw in tags:
        inline = raw.ljust(4, b"\0")
        if len(raw) > 4:
            inline = struct.pack(f"{order}L", place + len(values))
            values += raw
        entries += struct.pack(f"{order}HHL", tag, kind, count) + inline
    return struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + values


def pointer(kind: int, value: bytes) -> bytes:
    """A block of nothing but a pointer to the directory of the photo."""
    return block([(EXIF, kind, 1, value)])


RUBBISH = {
    "empty": b"",
    "a prefix alone": b"Exif\0\0",
    "words": b"Exif\0\0rubbishrubbish",
    "a header cut": b"Exif\0\0II*\0",
    "a header and no directory": b"Exif\0\0II*\0\x08\0\0\0",
    "no header": b"Exif\0\0\0\x11\0\0\x01\x04\0\x03",
    "zeros": b"Exif\0\0" + bytes(64),
    "ones": b"Exif\0\0" + b"\xff" * 64,
    "another version": b"Exif\0\0II\x2b\0\x08\0\0\0" + bytes(8),
    "a directory beyond the end": b"Exif\0\0MM\0*\xff\xff\xff\xff",
    "entries beyond the end": b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01",
    "a negative pointer": pointer(SIGNED, struct.pack("<l", -7)),
    "a pointer beyond the end": pointer(LONG, struct.pack("<L", 2**32 - 1)),
    "a pointer to itself": pointer(LONG, struct.pack("<L", 8)),
    "a pointer of words": pointer(TEXT, b"abc\0"),
    "a pointer of opaque bytes": pointer(OPAQUE, b"\xff\xff\xff\xff"),
    "a pointer of no type": pointer(99, bytes(4)),
    "a ratio by nothing": block([(EXIF, RATIO, 1, struct.pack("<LL", 8, 0))]),
    "a time of numbers": block([], [(TAKEN, LONG, 5, bytes(20))]),
    "a time that is cut": block([], [(TAKEN, TEXT, 20, b"2026:05")]),
    "a time elsewhere": block([], [(TAKEN, TEXT, 2**32 - 1, b"\xff\xff\xff\xff")]),
}
