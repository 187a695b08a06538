"""Files that are written whole or not at all, and last."""

import os
import sys
from pathlib import Path

OWNERS = 0o600
"""Mode of a file that no other user of the machine may read. With that of any new file another
user could take noise off what was released."""


def write_whole(path: Path, text: str) -> None:
    r"""Writes ``text`` so that a reader finds the old file or the new one, never a part.

    What UTF-8 cannot say, a byte of a file name in an older code, is written as ``\udcXX``.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    _replaced(path, text.encode("utf-8", errors="backslashreplace"), mode=0o666)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes ``data`` in the same way, for nobody else to read."""
    _replaced(path, data, mode=OWNERS)


def named(failure: OSError, path: Path) -> OSError:
    """Returns ``failure`` with the name of the file, which a write or a sync does not know."""
    return OSError(failure.errno, failure.strerror, str(path))


def _replaced(path: Path, data: bytes, *, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as failure:
        raise named(failure, path) from failure
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Returns when what was renamed in a folder is durable; Windows has no such call."""
    if sys.platform == "win32":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
