"""A population of libraries as people have them."""

from collections import Counter
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from photos.folder.decoding import decode
from photos.folder.listing import obstacle
from photos.folder.photograph import PhotoReader
from photos.library import Library
from photos.numbering import numbered
from photos.owned.index import Index, index_device
from photos.owned.moments import moments
from photos.owned.reading import read_moment
from photos.owned.settings import LibraryPhotos
from photos.owned.tree import fingerprint, walk
from photos.source import Orders


class LibrarySource:
    """Libraries read from a folder in any order, each when it is asked for.

    Devices are numbered as ``photos.folder`` numbers them: training devices from the front of
    their folders' names, held-out devices from the back.

    Guarantees:
      * of a library no pixels are kept but those of its moments with an order, and of libraries
        the last one alone, until one of its files changes;
      * the same files, with the same times, give the same library;
      * no link is followed.

    Attributes:
        devices: Devices that may train.
        held_out_devices: Devices that never train, numbered after them.
    """

    def __init__(self, photos: LibraryPhotos) -> None:
        """Looks for device folders; no photograph is opened yet.

        Raises:
            ValueError: The settings contradict each other, or there is no such folder, no photo
                in it, or too few device folders.
        """
        if flaw := photos.flaw():
            raise ValueError(flaw)
        folders = _devices(photos)
        self._folders = numbered(folders, photos)
        if not self._folders:
            raise ValueError(_too_few(photos, len(folders)))
        self.held_out_devices = photos.held_out_devices
        self.devices = len(self._folders) - photos.held_out_devices
        self._photos = photos

    def folder(self, device: int) -> Path:
        """Returns a device's folder, for commands on the owner's machine alone."""
        return self._folders[device]

    def index(self, device: int) -> Index:
        """Reads what is known of one device's photos without their pixels."""
        return index_device(self._folders[device], self._photos)

    def library(self, device: int) -> Library:
        """Reads one device's moments; what cannot be used is counted, never raised."""
        folder = self._folders[device]
        found = _decoded(folder, self._photos, fingerprint(folder))
        return replace(found, device=device)

    def read(self, device: int, reader: PhotoReader) -> Library:
        """Reads one device's moments, with what ``reader`` puts in the place of pixels."""
        folder = self._folders[device]
        found = _read(folder, self._photos, fingerprint(folder), reader)
        return replace(found, device=device)

    def orders(self, device: int) -> Orders:
        """None: what the owner of real photographs would like is not known."""
        return {}


@lru_cache(maxsize=1)
def _indexed(folder: Path, photos: LibraryPhotos, _: bytes) -> Index:
    """The index of a folder; the last is kept while no file of it changes."""
    return index_device(folder, photos)


@lru_cache(maxsize=1)
def _decoded(folder: Path, photos: LibraryPhotos, state: bytes) -> Library:
    """The library in a folder; the last is kept while no file of it changes."""
    return _read(folder, photos, state, decode)


def _read(folder: Path, photos: LibraryPhotos, state: bytes, reader: PhotoReader) -> Library:
    index = _indexed(folder, photos, state)
    skipped: Counter[str] = index.skipped.copy()
    whole = []
    for together in moments(index.photos, gap=photos.gap):
        read = read_moment(folder, together, photos, reader=reader)
        skipped += read.skipped
        whole += [read.moment] if read.moment else []
    return Library(
        device=0,
        moments=tuple(sorted(whole, key=lambda moment: moment.number)),
        skipped={str(reason): count for reason, count in sorted(skipped.items())},
        rated=index.rated,
    )


def _devices(photos: LibraryPhotos) -> tuple[Path, ...]:
    root = photos.folder()
    if reason := obstacle(root):
        raise ValueError(
            f"photos.root={photos.root} is not a folder that can be listed ({reason}): name "
            "one that holds your photos."
        )
    folders: tuple[Path, ...] = (root,)
    if photos.devices_by == "folder":
        folders = tuple(root / name for name in next(walk(root)).folders)
    skipped: Counter[str] = Counter()
    for files in (files for folder in folders for files in walk(folder)):
        if files.photos:
            return folders
        skipped += files.skipped
    raise ValueError(_no_photo(photos, skipped))


def _no_photo(photos: LibraryPhotos, skipped: Counter[str]) -> str:
    where = "" if photos.devices_by == "whole" else "in a folder "
    found = "; ".join(f"{count} × {reason}" for reason, count in sorted(skipped.items()))
    return (
        f"photos.root={photos.root} holds no photo {where}that can be read "
        f"({found or 'nothing at all'}): name the folder of your photos, or export them there "
        "as JPEG."
    )


def _too_few(photos: LibraryPhotos, folders: int) -> str:
    wanted = "at least 1" if photos.devices is None else photos.devices
    return (
        f"photos.devices={wanted} and photos.held_out_devices={photos.held_out_devices} need "
        f"more than the {folders} folders in photos.root={photos.root}; lower either, or take "
        "photos.devices_by=whole."
    )
