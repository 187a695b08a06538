"""What stands beside the pixels of a photograph's file."""

import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from photos.folder.formats.detection import HEAD, format_of
from photos.folder.formats.exif import taken
from photos.folder.formats.stored import Beside
from photos.folder.regular_file import open_regular
from photos.folder.skips import LARGEST_BYTES, Skip

_NOTHING = Beside(openable=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SideData:
    """What was read of a file without its pixels.

    Attributes:
        format: Pillow's name of the format; empty where no picture can be opened.
        beside: What was found.
    """

    format: str = ""
    beside: Beside = _NOTHING


def read_side_data(path: Path) -> SideData:
    """Reads what stands beside the pixels; a damaged or hostile file says nothing.

    It never raises, and of most formats reads no more than the head.

    Args:
        path: A regular file; a symbolic link is not followed.
    """
    file = open_regular(path, largest=LARGEST_BYTES)
    if isinstance(file, Skip):
        return SideData()
    try:
        with file, warnings.catch_warnings():
            # Pillow's warnings name the file, which is the owner's alone.
            warnings.simplefilter("ignore")
            found = format_of(file.read(HEAD), suffix=path.suffix)
            if found is None:
                return SideData()
            file.seek(0)
            beside = found.beside(file)
    except Exception:
        # Decoders that open a whole file raise almost anything on a crafted one.
        return SideData()
    return SideData(format=found.name if beside.openable else "", beside=beside)


def own_clock(beside: Beside) -> datetime | None:
    """Returns when a photo was taken by the camera's own clock, which may be anyone's zone."""
    found = taken(beside.exif)
    return None if found is None else found.replace(tzinfo=None)
