"""What a photograph's own file says of it: when it was taken, and how it is rated."""

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from PIL import Image

from photos.folder.regular_file import open_regular
from photos.folder.skips import LARGEST_BYTES, Skip
from photos.owned.metadata.heads import read_head

# Tags of EXIF: its own directory; in it DateTimeOriginal, its fraction and its zone.
_EXIF_IFD, _TAKEN, _FRACTION, _OFFSET = 0x8769, 0x9003, 0x9291, 0x9011
# Tags of EXIF, in the main directory: Rating in stars and in percent.
_STARS, _PERCENT = 0x4746, 0x4749
# Digits of a fraction of a second that a time can hold: microseconds.
_FRACTION_DIGITS = 6
# Hours from UTC: no place on Earth is further. Without it a broken offset moves a photo.
_FURTHEST = timedelta(hours=14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What was read of a file, without its pixels.

    Attributes:
        format: Pillow's name of the format; empty where the file could not be read.
        taken: Time of capture; aware where the file says its offset from UTC, by the camera's
            own clock where it does not, None where there is none.
        stars: EXIF Rating as it stands, or None.
        percent: EXIF RatingPercent as it stands, or None.
        xmp: The XMP packet, or nothing.
    """

    format: str = ""
    taken: datetime | None = None
    stars: object = None
    percent: object = None
    xmp: bytes = b""


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
            head = read_head(file)
    except Exception:
        # Pillow's decoders raise almost anything on a crafted file.
        return Facts()
    exif = _exif(head.exif)
    return Facts(
        format=head.format,
        taken=_taken(_inner(exif)),
        stars=exif.get(_STARS),
        percent=exif.get(_PERCENT),
        xmp=head.xmp,
    )


def _exif(content: bytes) -> Image.Exif:
    exif = Image.Exif()
    try:
        exif.load(content)
        exif.get(_STARS)
    except Exception:
        return Image.Exif()
    return exif


def _inner(exif: Image.Exif) -> dict[int, Any]:
    try:
        return dict(exif.get_ifd(_EXIF_IFD))
    except Exception:
        return {}


def _taken(tags: dict[int, Any]) -> datetime | None:
    try:
        whole = datetime.strptime(_text(tags.get(_TAKEN)), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    digits = _text(tags.get(_FRACTION))
    if digits.isascii() and digits.isdigit():
        whole = whole.replace(microsecond=int(digits[:_FRACTION_DIGITS].ljust(6, "0")))
    offset = _offset(_text(tags.get(_OFFSET)))
    return whole if offset is None else whole.replace(tzinfo=offset)


def _offset(text: str) -> timezone | None:
    try:
        found = UTC if text == "Z" else datetime.strptime(text, "%z").tzinfo
    except ValueError:
        return None
    if not isinstance(found, timezone) or abs(found.utcoffset(None)) > _FURTHEST:
        return None
    return found


def _text(value: object) -> str:
    return ("" if value is None else str(value)).strip("\0 ")
