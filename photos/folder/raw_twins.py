"""Camera raw beside the photo that was developed from it: one shot, and so one photo."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePath
from unicodedata import normalize

from photos.folder.formats.detection import RAW_SUFFIXES
from photos.folder.formats.side_data import own_clock, read_side_data


def raw_twins(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Returns the raw files that are of the same shot as a photo beside them, with its name.

    They are called alike but for their endings, and were taken in the same second by the
    camera's clock; or neither says when. The photo has to have a picture in it. No file is
    opened but those that are called alike.

    Args:
        folder: Where the files are.
        names: Their names.
    """
    alike: dict[str, list[str]] = {}
    for name in sorted(names):
        alike.setdefault(_stem(name), []).append(name)
    twins: dict[str, str] = {}
    for same in alike.values():
        raws = [name for name in same if _is_raw(name)]
        developed = [name for name in same if not _is_raw(name)] if raws else []
        seconds = _seconds(folder, developed)
        for raw in raws if seconds else []:
            second = _second(own_clock(read_side_data(folder / raw).beside))
            twins |= {raw: seconds[second]} if second in seconds else {}
    return twins


def _seconds(folder: Path, names: list[str]) -> dict[datetime | None, str]:
    """The first of the photos of each second."""
    found: dict[datetime | None, str] = {}
    for name in names:
        read = read_side_data(folder / name)
        if read.format:
            found.setdefault(_second(own_clock(read.beside)), name)
    return found


def _second(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(microsecond=0)


def _stem(name: str) -> str:
    return normalize("NFC", PurePath(name).stem).casefold()


def _is_raw(name: str) -> bool:
    return PurePath(name).suffix.lower() in RAW_SUFFIXES
