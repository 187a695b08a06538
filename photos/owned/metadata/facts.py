"""What a photograph's own file says of it: when it was taken, and how it is rated."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from photos.folder.formats import exif
from photos.folder.formats.side_data import read_side_data


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
    found = read_side_data(path)
    beside = found.beside
    return Facts(
        format=found.format,
        taken=exif.taken(beside.exif),
        stars=exif.stars(beside.exif),
        percent=exif.percent(beside.exif),
        xmp=beside.xmp,
    )
