"""The steps by which bytes become durable, apart so that a test can stop at each."""

import os
import sys
from pathlib import Path


class Disk:
    """Writes, syncs and renames files: the one place where a ledger touches the disk."""

    def append(self, path: Path, data: bytes) -> None:
        """Writes behind the last byte of a file that is there."""
        with path.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            file.write(data)

    def write(self, path: Path, data: bytes) -> None:
        """Makes a file of these bytes."""
        path.write_bytes(data)

    def sync(self, path: Path) -> None:
        """Returns when what was written to a file, or renamed in a folder, is durable.

        Syncing a file covers what any descriptor wrote to it (POSIX.1-2017, fsync). Windows has
        no such call for a folder.
        """
        if sys.platform == "win32" and path.is_dir():
            return
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Puts a file in the place of another, whole or not at all."""
        old.replace(new)


DISK = Disk()
