"""Where libraries come from."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from photos.library import Library

Orders = Mapping[str, tuple[NDArray[np.float64], ...]]
"""Scores of every named order by its name: [photos] of each moment, by the moment's number."""


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

    def orders(self, device: int) -> Orders:
        """Returns what known tastes say of one device's moments; empty where none is known."""
        ...


@runtime_checkable
class Catalogued(Protocol):
    """A source that read tables of its photos as it was opened, and no photo yet.

    Attributes:
        notes: What to know of the figures over it, one sentence each.
        skipped: How many rows and files were left out of the tables, by reason.
    """

    notes: tuple[str, ...]
    skipped: Mapping[str, int]


@runtime_checkable
class Sifted(Protocol):
    """A source that knows a moment's number before it opens its photos."""

    def part(self, device: int, wanted: Callable[[int], bool]) -> Library:
        """Returns the moments of one device's library whose numbers are ``wanted``.

        They are those of ``library`` bit for bit, and no photo of another is opened.
        """
        ...
