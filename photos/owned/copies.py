"""Which of several files are the same, byte for byte."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from photos.folder.regular_file import open_regular
from photos.folder.skips import LARGEST_BYTES, Skip

# Bytes read of a file at once. Without it a large one fills the memory.
_PIECE = 2**20


def same_content(paths: Sequence[Path]) -> list[list[int]]:
    """Returns the places of files that are the same, together, in the order of the first.

    A file that cannot be read is the same as no other.
    """
    groups: dict[bytes, list[int]] = {}
    for place, path in enumerate(paths):
        groups.setdefault(_digest(path) or str(place).encode(), []).append(place)
    return list(groups.values())


def _digest(path: Path) -> bytes | None:
    file = open_regular(path, largest=LARGEST_BYTES)
    if isinstance(file, Skip):
        return None
    content = blake2b()
    try:
        with file:
            while piece := file.read(_PIECE):
                content.update(piece)
    except OSError:
        return None
    return content.digest()
