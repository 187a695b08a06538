"""A photograph that was read, and what reads one."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from photos.folder.likeness import DIFFERENCES
from photos.folder.skips import Skip
from photos.library import Library


def _like_any() -> NDArray[np.bool_]:
    return np.zeros(DIFFERENCES, dtype=np.bool_)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Photograph:
    """A photograph that can be ranked.

    Attributes:
        name: File name.
        taken: EXIF time of capture by the camera's own clock, or None where there is none.
        pixels: [side, side, 3] uint8 RGB, or what its reader puts in their place.
        likeness: [64] its difference hash.
    """

    name: str
    taken: datetime | None
    pixels: NDArray[np.uint8]
    likeness: NDArray[np.bool_] = field(default_factory=_like_any)


class PhotoReader(Protocol):
    """Reads photographs; what it says of a file follows from the file alone."""

    def __call__(self, path: Path, *, side: int) -> Photograph | Skip:
        """Returns the photograph in a file, or why there is none; it never raises.

        Args:
            path: A regular file; a symbolic link is not followed.
            side: Pixels of a photograph's side.
        """
        ...


@runtime_checkable
class FileSource(Protocol):
    """A source whose photographs are files, which any reader can read."""

    def read(self, device: int, reader: PhotoReader) -> Library:
        """Returns one device's photos, with what ``reader`` puts in the place of pixels."""
        ...
