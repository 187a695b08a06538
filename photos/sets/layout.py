"""Finds the files of a downloaded copy, or says in one sentence which was looked for."""

import os
import stat
from collections import Counter
from pathlib import Path

from photos.folder.listing import contents, obstacle
from photos.sets.settings import DownloadedPhotos


def root_of(photos: DownloadedPhotos, *, layout: str) -> Path:
    """Returns the folder of a copy.

    Args:
        photos: The settings.
        layout: What such a copy holds, in words.

    Raises:
        ValueError: The settings are flawed, or there is no such folder.
    """
    if flaw := photos.flaw():
        raise ValueError(flaw)
    folder = photos.folder()
    if reason := obstacle(folder):
        raise ValueError(
            f"photos.root={photos.root} is not a folder that can be listed ({reason}); "
            f"photos={photos.source} reads {layout}."
        )
    return folder


def missing(photos: DownloadedPhotos, looked_for: str, *, layout: str) -> ValueError:
    """Returns the refusal of a copy in which ``looked_for`` is not there."""
    return ValueError(
        f"photos.root={photos.root} has no {looked_for}; photos={photos.source} reads {layout}."
    )


def is_file(path: Path) -> bool:
    """Whether a regular file stands there, and no link."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether a folder stands there, and no link."""
    return stat.S_ISDIR(_mode(path))


def photo_names(folder: Path, skipped: Counter[str]) -> set[str]:
    """Returns the names of the photos in a folder; what else it holds is counted."""
    found = contents(folder)
    skipped.update({str(reason): count for reason, count in found.skipped.items()})
    return {path.name for path in found.photos}


def photo_paths(folder: Path, skipped: Counter[str]) -> set[str]:
    """Returns ``inner/name`` of the photos in a folder's folders; what else is counted."""
    found = contents(folder)
    skipped.update({str(reason): count for reason, count in found.skipped.items()})
    return {
        f"{inner.name}/{name}"
        for inner in found.folders
        for name in photo_names(inner, skipped)
    }


def plain_name(name: str) -> bool:
    """Whether a table's cell names an entry of a folder, and cannot lead out of it."""
    return (
        name not in ("", os.curdir, os.pardir)
        and not set(name) & set("/\\:\0")
        and name.isprintable()
    )


def _mode(path: Path) -> int:
    """The kind of what stands there, 0 where nothing does."""
    try:
        return path.lstat().st_mode
    except (OSError, ValueError):
        return 0
