"""What lies in a folder as people have it: photos, what lies beside them, and all the rest."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from pathlib import Path, PurePath

from photos.folder.formats.detection import PHOTO_SUFFIXES
from photos.folder.skips import Skip
from photos.owned.metadata.takeout import key
from photos.owned.skips import Left

_PHOTO, _FOLDER, _COMPANION = "photo", "folder", "companion"
_COMPANIONS = (".xmp", ".json")
_FILMS = frozenset(
    {".mov", ".mp4", ".m4v", ".mp", ".avi", ".mts", ".m2ts", ".3gp", ".mkv", ".mpg", ".mpeg"}
    | {".wmv", ".webm", ".flv"}
)
# Folders of thumbnails and of deleted files that storage boxes and systems keep.
_OF_SYSTEMS = frozenset(
    {"@eadir", "@__thumb", "#recycle", "$recycle.bin", "__macosx", "lost+found"}
    | {"system volume information", "thumbs.db", "desktop.ini"}
)
_PACKAGES = (".photoslibrary", ".aplibrary", ".migratedphotolibrary", ".lrdata", ".lrlibrary")


@dataclass(slots=True)
class FolderFiles:
    """The files of one folder.

    Attributes:
        folder: Its path below the device's folder, with / between names; empty for itself.
        photos: Names of regular files with a photo's suffix, sorted; none has been opened.
        folders: Names of the folders inside, sorted.
        companions: Names of files that may belong to a photo, sorted, by ``takeout.key``.
        skipped: How many others there are, by reason.
    """

    folder: str
    photos: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    companions: dict[str, list[str]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)

    def path(self, name: str) -> str:
        """Returns a file's path below the device's folder."""
        return f"{self.folder}/{name}" if self.folder else name


def walk(root: Path) -> Iterator[FolderFiles]:
    """Yields a folder and every folder below it; each entry is judged by itself.

    Hidden files and the folders of systems are passed over. No link is followed and nothing is
    asked of its target. What cannot be listed is counted, and what can be stays.
    """
    waiting = [""]
    while waiting:
        found = _files(root, waiting.pop())
        waiting += [found.path(name) for name in reversed(found.folders)]
        yield found


def fingerprint(root: Path) -> bytes:
    """Returns what changes when any photo, companion or folder below ``root`` does.

    Nothing is opened: a file is its path, size, identity and times.
    """
    content = blake2b()
    for files in walk(root):
        content.update(repr((files.folder, sorted(files.skipped.items()))).encode())
        for name in (*files.photos, *chain(*files.companions.values())):
            try:
                facts = (root / files.path(name)).lstat()
            except OSError:
                continue
            known = (facts.st_size, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns)
            content.update(repr((name, known)).encode())
    return content.digest()


def _files(root: Path, folder: str) -> FolderFiles:
    named: dict[str, list[str]] = {}
    for name, kind in _entries(root / folder):
        named.setdefault(kind, []).append(name)
    found = FolderFiles(
        folder=folder,
        photos=sorted(named.pop(_PHOTO, [])),
        folders=sorted(named.pop(_FOLDER, [])),
    )
    for name in sorted(named.pop(_COMPANION, [])):
        found.companions.setdefault(key(name), []).append(name)
    stems = {key(PurePath(name).stem) for name in found.photos}
    for name in named.pop(Left.FILM, []):
        live = key(PurePath(name).stem) in stems
        found.skipped[Left.LIVE_FILM if live else Left.FILM] += 1
    found.skipped.update({kind: len(names) for kind, names in named.items() if kind})
    return found


def _entries(folder: Path) -> Iterator[tuple[str, str]]:
    """The name of each entry, and what it is or why it is left out."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name, _kind(entry)
    except OSError:
        yield "", Skip.UNREADABLE


def _kind(entry: os.DirEntry[str]) -> str:
    """What an entry is, or why it is left out; empty where it is passed over."""
    name = entry.name.casefold()
    if name.startswith(".") or name in _OF_SYSTEMS:
        return ""
    try:
        if entry.is_symlink():
            return Skip.LINK
        if entry.is_dir(follow_symlinks=False):
            return Left.PACKAGE if name.endswith(_PACKAGES) else _FOLDER
        suffix = PurePath(name).suffix
        if not entry.is_file(follow_symlinks=False):
            return Skip.UNREADABLE if suffix in PHOTO_SUFFIXES else Left.OTHER_FILE
        return _kind_of_file(suffix)
    except OSError:
        return Skip.UNREADABLE


def _kind_of_file(suffix: str) -> str:
    if suffix in PHOTO_SUFFIXES:
        return _PHOTO
    if suffix in _COMPANIONS:
        return _COMPANION
    return Left.FILM if suffix in _FILMS else Left.OTHER_FILE
