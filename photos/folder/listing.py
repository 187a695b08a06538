"""What a folder holds: each entry is judged by itself, so that none can hide another."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from photos.folder import feedback_file
from photos.folder.formats.detection import PHOTO_SUFFIXES
from photos.folder.skips import Skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What a folder holds, sorted by name; hidden files are passed over.

    Attributes:
        photos: Regular files with a photo's suffix, in any case; nothing has been opened yet.
        folders: Folders that are no links.
        skipped: How many others there are, by reason.
    """

    photos: tuple[Path, ...]
    folders: tuple[Path, ...]
    skipped: Counter[str]


def contents(folder: Path) -> Contents:
    """Lists a folder; what cannot be listed is counted, and what can be stays.

    Nothing is asked of a link's target, so that no target, however long its name or closed its
    folder, costs the entries beside the link.
    """
    kinds = sorted(_entries(folder))
    return Contents(
        photos=tuple(path for path, kind in kinds if kind == "photo"),
        folders=tuple(path for path, kind in kinds if kind == "folder"),
        skipped=Counter(kind for _, kind in kinds if isinstance(kind, Skip)),
    )


def obstacle(folder: Path) -> str | None:
    """Says why a folder cannot be listed, in the system's words; None where it can."""
    try:
        with os.scandir(folder):
            return None
    except OSError as failure:
        return failure.strerror or "it cannot be read"
    except ValueError:
        return "it is no name of a folder"


def _entries(folder: Path) -> Iterator[tuple[Path, str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name != feedback_file.NAME:
                    yield folder / entry.name, _kind(entry)
    except OSError:
        yield folder, Skip.UNREADABLE


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        if entry.is_symlink():
            return Skip.LINK
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        if Path(entry.name).suffix.lower() not in PHOTO_SUFFIXES:
            return Skip.OTHER_FILE
        return "photo" if entry.is_file(follow_symlinks=False) else Skip.UNREADABLE
    except OSError:
        return Skip.UNREADABLE
