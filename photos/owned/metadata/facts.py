"""What a photograph's own file says of it: when it was taken, and how it is rated."""

import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from photos.folder.formats import exif
from photos.folder.formats.detection import HEAD, format_of
from photos.folder.regular_file import open_regular
from photos.folder.skips import LARGEST_BYTES, Skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What was read of a file, without its pixels.

    Attributes:
        format: Pillow's name of the format; empty where no picture can be opened.
        taken: Time of capture; aware where the file says its offset from UTC, by the camera's
            own clock where it does not, None where there is none.
        stars: EXIF Rating as it stands, or None.
        percent: EXIF RatingPercent as it stands, or None.
        xmp: The packets of XMP.
    """

    format: str = ""
    taken: datetime | None = None
    stars: object = None
    percent: object = None
    xmp: tuple[bytes, ...] = ()


def read_facts(path: Path) -> Facts:
    """Reads a photograph's head; a damaged or hostile file says nothing and never raises.

    Args:
        path: A regular file; a symbolic link is not followed.
    """
    file = open_regular(path, largest=LARGEST_BYTES)
    if isinstance(file, Skip):
        return Facts()
    try:
        with file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _facts(file, suffix=path.suffix)
    except Exception:
        # Decoders that open a whole file raise almost anything on a crafted one.
        return Facts()


def _facts(file: BinaryIO, *, suffix: str) -> Facts:
    found = format_of(file.read(HEAD), suffix=suffix)
    if found is None:
        return Facts()
    file.seek(0)
    beside = found.beside(file)
    return Facts(
        format=found.name if beside.openable else "",
        taken=exif.taken(beside.exif),
        stars=exif.stars(beside.exif),
        percent=exif.percent(beside.exif),
        xmp=beside.xmp,
    )
