"""Opens a file of a device's folder, whatever may stand there in a file's place."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from photos.folder.skips import Skip

# Without the first a link that takes a file's place is followed, without the second a pipe that
# does is waited for, without the third Windows ends a photograph at its first byte 26.
_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)


def open_regular(path: Path, *, largest: int) -> BinaryIO | Skip:
    """Opens a regular file of at most ``largest`` bytes, or says why not; it never raises.

    Never follows a link and never opens a pipe, a socket or a device: to read one could take
    for ever. Looks before and after opening, for another thing may come between.
    """
    try:
        skip = _unfit(path.lstat(), largest)
        if skip is not None:
            return skip
        file = os.fdopen(os.open(path, _FLAGS), "rb")
        skip = _unfit(os.fstat(file.fileno()), largest)
        if skip is None:
            return file
        file.close()
        return skip
    except (OSError, ValueError):
        return Skip.UNREADABLE


def _unfit(facts: os.stat_result, largest: int) -> Skip | None:
    if stat.S_ISLNK(facts.st_mode):
        return Skip.LINK
    if not stat.S_ISREG(facts.st_mode):
        return Skip.UNREADABLE
    return Skip.LARGE_FILE if facts.st_size > largest else None
