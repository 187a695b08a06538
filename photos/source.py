"""Where libraries come from."""

from typing import Protocol

from photos.library import Library
from photos.settings import Photos


class PhotoSource(Protocol):
    """A population of libraries, each made or read when it is asked for."""

    @property
    def devices(self) -> int:
        """Devices that may train: the numbers from 0."""
        ...

    @property
    def held_out_devices(self) -> int:
        """Devices that never train: the numbers after those."""
        ...

    def library(self, device: int) -> Library:
        """Returns one device's photos."""
        ...


def open_source(settings: Photos, *, seed: int) -> PhotoSource:
    """Opens the population that ``settings`` describe; nothing is loaded yet.

    Raises:
        ValueError: ``photos.root`` holds no libraries.
    """
    match settings.source:
        case "synthetic":
            from photos.synthetic.population import SyntheticSource

            return SyntheticSource(settings, seed)
        case "folder":
            from photos.folder.population import FolderSource

            return FolderSource(settings)
