"""A device's photographs: in the one folder that its own node-config names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from photos.library import SMALLEST_MOMENT, Library
from photos.owned.settings import LibraryPhotos
from photos.settings import Photos
from photos.source import Orders
from protocol.rebuild import SettingError

if TYPE_CHECKING:  # who only reads settings needs no decoder of photographs
    from photos.folder.photograph import FileSource, PhotoReader


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnPhotos(Photos):
    """One library in a folder of the device's own; the run says how photographs are read.

    No run's configuration can name it, for it is not among the sources by name.

    Attributes:
        folder: The device's folder.
        library: How moments are found in photos as people have them; None where each folder in
            ``folder`` is a moment.
    """

    source: Literal["own"] = "own"
    folder: str
    library: LibraryPhotos | None


def own_photos(photos: Photos, folder: Path) -> OwnPhotos:
    """Returns the photographs in ``folder``, read as ``photos`` of a run are.

    Where the run's are no photographs in a folder, each folder in it is a moment.
    """
    library = None
    if isinstance(photos, LibraryPhotos):
        library = replace(
            photos, root=str(folder), devices_by="whole", devices=None, held_out_devices=0
        )
    return OwnPhotos(
        devices=None,
        held_out_devices=0,
        held_out_share=photos.held_out_share,
        side=photos.side,
        folder=str(folder),
        library=library,
    )


class OwnSource:
    """The library of one device, whatever its number is.

    Attributes:
        devices: One.
        held_out_devices: None.
    """

    devices = 1
    held_out_devices = 0

    def __init__(self, photos: OwnPhotos) -> None:
        self._photos = photos

    def library(self, device: int) -> Library:
        """Reads the library, as that of ``device``.

        Raises:
            SettingError: There is no moment in the folder; one sentence, for its owner alone.
        """
        from photos.folder.decoding import decode

        return self.read(device, decode)

    def read(self, device: int, reader: "PhotoReader") -> Library:
        """Reads the library with what ``reader`` puts in the place of pixels.

        Raises:
            SettingError: Same as ``library``.
        """
        found = replace(self._read(reader), device=device)
        if not found.moments:
            raise SettingError(
                f"node-config: photos={self._photos.folder} holds no moment of "
                f"{SMALLEST_MOMENT} photos that can be read{_left_out(found.skipped)}; "
                f"{self._layout()}."
            )
        return found

    def orders(self, device: int) -> Orders:
        """None: what the owner of real photographs would like is not known."""
        return {}

    def _read(self, reader: "PhotoReader") -> Library:
        if self._photos.library is not None:
            return _source(self._photos.library).read(0, reader)
        from photos.folder.population import read_library

        side = self._photos.side
        return read_library(Path(self._photos.folder), side=side, device=0, reader=reader)

    def _layout(self) -> str:
        if self._photos.library is not None:
            return "name the folder that holds your photos"
        return "each folder in it is a moment, PHOTOS/<moment>/*.jpg"


def _source(library: LibraryPhotos) -> "FileSource":
    from photos.owned.population import LibrarySource

    try:
        return LibrarySource(library)
    except ValueError as failure:
        said = str(failure).replace("photos.root=", "node-config: photos=")
        raise SettingError(said) from failure


def _left_out(skipped: Mapping[str, int]) -> str:
    found = "; ".join(f"{count} × {reason}" for reason, count in skipped.items())
    return f" ({found})" if found else ""
