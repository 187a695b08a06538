"""Whether a file is the one that was read before, without reading it again."""

import hashlib
import os
import stat
import struct
import time
from pathlib import Path

from photos.folder.formats.detection import RAW_SUFFIXES

# Nanoseconds: clocks of file systems go on in steps of up to two seconds (FAT). A file that
# changed twice within a step may have the same times: what is younger has no stamp. Without it
# a photo that was replaced at once keeps the former one's embedding.
_STEP = 2 * 10**9


def stamp_of(path: Path) -> bytes | None:
    """Returns 16 bytes that change with a file's content, or None where none would.

    They follow from device, number, size and both times of the file, of which a program cannot
    set the later one, and from whether it is called camera raw: its bytes then mean something
    else. None of a link, of what is no regular file, and of one that changed just now.
    """
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _STEP:
        return None
    return _stamp(found, is_raw=is_raw(path))


def is_raw(path: Path) -> bool:
    """Says whether a file is called camera raw."""
    return path.suffix.lower() in RAW_SUFFIXES


def _stamp(found: os.stat_result, *, is_raw: bool) -> bytes:
    facts = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    packed = b"".join(struct.pack("<q", fact % 2**63) for fact in facts)
    return hashlib.blake2b(packed + bytes([is_raw]), digest_size=16).digest()
