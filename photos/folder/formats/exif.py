"""What EXIF says of a photograph: its time, its turn and its rating; any block may be rubbish.

Pillow's own reader takes all tags of a block at once: one that is wrong costs the others, and a
small block whose tags overlap fills the memory.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta, timezone

from photos.folder.formats.tiff_tags import Tiff, Value

_PREFIX = b"Exif\0\0"
# Tags of EXIF 2.32: Orientation, the place of EXIF's own directory, and in it DateTimeOriginal,
# SubSecTimeOriginal and OffsetTimeOriginal.
_ORIENTATION, _EXIF_IFD, _TAKEN, _FRACTION, _OFFSET = 0x0112, 0x8769, 0x9003, 0x9291, 0x9011
# Tags of Windows, in the main directory: Rating in stars and RatingPercent.
_STARS, _PERCENT = 0x4746, 0x4749
# Numbers of a turn by EXIF 2.32: others turn nothing.
_UPRIGHT, _LAST_TURN = 1, 8
# Digits of a fraction that Python's time holds.
_DIGITS = 6
# Hours from UTC: no place on Earth is further. Without it a broken offset moves a photo.
_FURTHEST = timedelta(hours=14)
_XMP_TURN = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])\b")


def orientation(exif: Iterable[bytes], xmp: Iterable[bytes]) -> int:
    """Returns EXIF's number of the turn that sets a picture upright: 1 to 8, 1 where none is.

    The first block with such a number counts, of whatever type, and XMP where no EXIF has one.
    """
    for block in exif:
        number = _number(_main_directory(block, {_ORIENTATION}).get(_ORIENTATION))
        if number is not None and _UPRIGHT <= number <= _LAST_TURN:
            return number
    return next((int(turn[1]) for turn in map(_XMP_TURN.search, xmp) if turn), _UPRIGHT)


def taken(exif: Iterable[bytes]) -> datetime | None:
    """Returns DateTimeOriginal with its fraction of a second, by the camera's own clock.

    It is aware where OffsetTimeOriginal says how far that is from UTC. A fraction that is not
    digits alone, or an offset that is none, is left out, and the second stays. None where no
    block has a time.
    """
    for block in exif:
        tags = _exif_directory(block)
        second = _second(_text(tags.get(_TAKEN)))
        if second is not None:
            return second.replace(
                microsecond=_microsecond(_text(tags.get(_FRACTION))),
                tzinfo=_offset(_text(tags.get(_OFFSET))),
            )
    return None


def stars(exif: Iterable[bytes]) -> int | str | None:
    """Returns Rating as the first block says it that does; text where it is no whole number."""
    return _first(exif, _STARS)


def percent(exif: Iterable[bytes]) -> int | str | None:
    """Returns RatingPercent, as ``stars`` returns Rating."""
    return _first(exif, _PERCENT)


def _first(exif: Iterable[bytes], tag: int) -> int | str | None:
    values = (_main_directory(block, {tag}).get(tag) for block in exif)
    value = next((value for value in values if value is not None), None)
    if not isinstance(value, bytes) or len(value) == 1:
        return _number(value)
    digits = _text(value)
    return int(digits) if _are_digits(digits) else digits


def _tiff(block: bytes) -> Tiff | None:
    return Tiff.of(memoryview(block)[len(_PREFIX) * block.startswith(_PREFIX) :])


def _main_directory(block: bytes, wanted: Collection[int]) -> dict[int, Value]:
    tiff = _tiff(block)
    return {} if tiff is None else tiff.tags(tiff.first_directory(), wanted=wanted)


def _exif_directory(block: bytes) -> dict[int, Value]:
    tiff = _tiff(block)
    if tiff is None:
        return {}
    pointer = tiff.tags(tiff.first_directory(), wanted={_EXIF_IFD}).get(_EXIF_IFD)
    return tiff.tags(_number(pointer) or 0, wanted={_TAKEN, _FRACTION, _OFFSET})


def _number(value: Value | None) -> int | None:
    if isinstance(value, bytes):
        digits = _text(value)
        return int(digits) if _are_digits(digits) else value[0]
    return value


def _text(value: Value | None) -> str:
    if isinstance(value, bytes):
        return value.split(b"\0")[0].decode("latin-1").strip()
    return "" if value is None else str(value)


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _second(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _microsecond(digits: str) -> int:
    # Cut off, not rounded, which could reach the next second: year 9999 may not have it.
    return int(digits[:_DIGITS].ljust(_DIGITS, "0")) if _are_digits(digits) else 0


def _offset(text: str) -> timezone | None:
    try:
        found = UTC if text == "Z" else datetime.strptime(text, "%z").tzinfo
    except ValueError:
        return None
    if not isinstance(found, timezone) or abs(found.utcoffset(None)) > _FURTHEST:
        return None
    return found
