"""The contact sheet of a photo library: its moments and bursts as they are read."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photos.folder.decoding import decode
from photos.folder.photograph import Photograph
from photos.library import Feedback
from photos.owned.index import IndexedPhoto
from photos.owned.reading import decode_moment, feedback
from photos.owned.settings import LibraryPhotos
from simulations.ranking.contact_sheet import FIRST, SheetRow, Thumbnail, contact_sheet

LARGEST_SHEET = 60
"""Moments on the sheet, which is then 9,628 pixels high."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Together:
    """One moment of one device.

    Attributes:
        folder: The device's folder.
        photos: In the order of time.
    """

    folder: Path
    photos: tuple[IndexedPhoto, ...]


def check_place(out: Path, photos: LibraryPhotos, *, force: bool) -> None:
    """Refuses a file that must not be written, before the photos are read.

    Raises:
        ValueError: It is there already, is a folder, lies among the photos, or has no folder.
    """
    if out.is_dir():
        raise ValueError(f"--out {out} is a folder; name a file.")
    if os.path.lexists(out) and not force:
        raise ValueError(f"--out {out} is there already; name another file, or add --force.")
    if photos.folder().resolve() in out.resolve().parents:
        raise ValueError(f"--out {out} would be one of the photos; name another folder.")
    if not out.parent.is_dir():
        raise ValueError(f"--out {out}: its folder does not exist; make it first.")


def write_sheet(
    shown: Sequence[Together], photos: LibraryPhotos, out: Path, *, of: int
) -> Path | None:
    """Writes a contact sheet in the order of capture; the whole file, or nothing.

    Args:
        shown: The moments, at most 60.
        photos: The settings of the source.
        out: The PNG file.
        of: How many moments there are.

    Returns:
        The file, or None where there is nothing to show.

    Raises:
        ValueError: The file cannot be written.
    """
    rows = [row for one in shown if (row := _row(one, photos)).thumbnails]
    if not rows:
        return None
    sheet = contact_sheet(
        rows,
        title=_drawable(photos.folder().resolve().name),
        subtitle=f"in the order of capture · {len(rows)} of {of:,} moments, those "
        "with an order first",
    )
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        sheet.save(temporary, "PNG")
        temporary.replace(out)
    except OSError as failure:
        raise ValueError(f"--out {out} cannot be written: {failure.strerror}.") from failure
    finally:
        temporary.unlink(missing_ok=True)
    return out


def _row(one: Together, photos: LibraryPhotos) -> SheetRow:
    read = decode_moment(one.folder, one.photos, photos)
    seen: set[int] = set()
    thumbnails = []
    for photo, pixels, burst in zip(read.photos, read.pixels, read.bursts, strict=True):
        thumbnails.append(
            Thumbnail(
                pixels=_larger(one.folder / photo.name, pixels),
                favourite=feedback(photo) is Feedback.FAVOURITE,
                duplicate=int(burst) in seen,
            )
        )
        seen.add(int(burst))
    return SheetRow(label=_label(one), thumbnails=tuple(thumbnails))


def _larger(path: Path, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    again = decode(path, side=FIRST)
    return again.pixels if isinstance(again, Photograph) else pixels


def _label(one: Together) -> str:
    first = one.photos[0]
    above = first.name.rpartition("/")[0]
    known = "%Y-%m-%d" if first.taken.day_alone else "%Y-%m-%d %H:%M UTC"
    return f"{_drawable(above)}/{first.taken.utc:{known}}"


def _drawable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "·" for letter in name)
