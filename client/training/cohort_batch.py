"""Many devices' drawn moments as dense tensors: devices × moments × photos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from client.embeddings.examples import widened
from client.engine import Examples
from client.isolation import LEAST_MOMENTS, padded_length
from client.training.scoring import EMBEDDING_AXES

Indices = NDArray[np.intp]
VALUES = 2 * 1024**2
"""Values of all photos of a batch at most, 8 MB of float32, however many moments it may have:
large photos come in smaller batches."""

WHOLE = 7 / 8
"""Share of devices from which a batch has all: padding is then cheaper than fetching theirs."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """Some moments of one step, side by side for some devices, of one padded length.

    Attributes:
        inputs: [devices, moments, photos, …] embeddings or pixels; zero where padded.
        gains: [devices, moments, photos]; zero where padded.
        where: [devices, moments, photos] bool; a moment of padding alone is none.
        devices: [devices] int64 whose they are; None for all devices in their order.
    """

    inputs: Tensor
    gains: Tensor
    where: Tensor
    devices: Tensor | None = None

    def of(self, devices: slice) -> "Batch":
        """Returns the moments of some devices."""
        return Batch(
            inputs=self.inputs[devices], gains=self.gains[devices], where=self.where[devices]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How large the batches of an engine are.

    Attributes:
        devices: Devices at most.
        moments: Moments of one device at most; fewer where photos are large.
        spare: Photos of padding that cost no more than another batch would.
        fixed: Whether every batch is filled up to one size for each padded length, for
            accelerators that choose another kernel for another size.
    """

    devices: int
    moments: int
    spare: int
    fixed: bool


class CohortMoments:
    """All moments of some devices, from which the batches of every step are gathered.

    Moments lie one after another, whatever device they are of; the last row is padding.
    """

    def __init__(
        self, devices: Sequence[Examples], *, shape: Shape, accelerator: torch.device
    ) -> None:
        pixels = devices[0].inputs.ndim > EMBEDDING_AXES
        longest = padded_length(max(own.where.shape[1] for own in devices), pixels=pixels)
        self._shape = shape
        self._inputs = _stacked([own.inputs for own in devices], longest=longest)
        self._gains = _stacked([own.gains for own in devices], longest=longest)
        self._where = _stacked([own.where for own in devices], longest=longest)
        self._inputs[~self._where] = 0
        self._gains[~self._where] = 0
        counts = [len(own.numbers) for own in devices]
        self._owner = np.repeat(np.arange(len(devices)), counts)
        photos = self._where.sum(1).tolist()[:-1]
        lengths = [padded_length(length, pixels=pixels) for length in photos]
        self._length = np.array(lengths, np.int64)
        self._inputs, self._gains, self._where = (
            values.to(accelerator) for values in (self._inputs, self._gains, self._where)
        )
        self._devices = len(devices)

    def batches(self, drawn: NDArray[np.bool_]) -> Iterator[Batch]:
        """Yields the moments that take part, [all moments] bool, in batches that cost least.

        Which moments share a batch is left to the cost; in which padded length a moment is
        computed follows from its own length.
        """
        for length in np.unique(self._length[drawn]).tolist():
            yield from self._of_length(
                np.flatnonzero(drawn & (self._length == length)), length=length
            )

    def _of_length(self, rows: Indices, *, length: int) -> Iterator[Batch]:
        owner = self._owner[rows]
        counts = np.bincount(owner, minlength=self._devices)
        rank = np.arange(len(rows)) - (np.cumsum(counts) - counts)[owner]
        table = np.full((self._devices, counts.max()), len(self._owner))
        table[owner, rank] = rows
        photos = [int((counts > rank).sum()) * length for rank in range(table.shape[1])]
        most = self._most(length)
        for first, last in pairwise(cuts(photos, most=most, spare=self._shape.spare)):
            there = np.flatnonzero(counts > first)
            whole = len(there) >= WHOLE * self._devices
            devices = np.arange(self._devices) if whole else there
            yield self._batch(table[devices, first:last], devices, length=length, most=most)

    def _most(self, length: int) -> int:
        """Moments of one device in a batch at most."""
        devices = self._shape.devices if self._shape.fixed else self._devices
        return most_moments(self._shape, devices * length * self._inputs[0, :1].numel())

    def _batch(self, rows: Indices, devices: Indices, *, length: int, most: int) -> Batch:
        """Fills up with moments of padding, and with further rows of the first device."""
        moments = max(LEAST_MOMENTS, most if self._shape.fixed else rows.shape[1])
        more = self._shape.devices - len(devices) if self._shape.fixed else 0
        rows = np.pad(
            rows,
            ((0, more), (0, moments - rows.shape[1])),
            constant_values=len(self._owner),
        )
        devices = np.pad(devices, (0, more))
        index = torch.from_numpy(rows).to(self._where.device)
        all_ = len(devices) == self._devices
        return Batch(
            inputs=self._inputs[:, :length][index],
            gains=self._gains[:, :length][index],
            where=self._where[:, :length][index],
            devices=None if all_ else torch.from_numpy(devices).to(self._where.device),
        )


def most_moments(shape: Shape, values: int) -> int:
    """Returns how many moments of a device a batch has at most, of so many values a moment."""
    return min(shape.moments, max(1, VALUES // values))


def cuts(photos: Sequence[int], *, most: int, spare: int) -> list[int]:
    """Returns where to cut ranks into parts so that their cost is least.

    A part costs ``spare``, and for each of its ranks as many photos as its first rank has.

    Args:
        photos: Photos of each rank, padding included; they never rise.
        most: Ranks of a part at most.
        spare: The cost of a part.
    """
    count = len(photos)
    least = [0] * (count + 1)
    end = [count] * (count + 1)
    for first in reversed(range(count)):
        lasts = range(min(count, first + most), first, -1)
        costs = [spare + photos[first] * (last - first) + least[last] for last in lasts]
        least[first] = min(costs)
        end[first] = lasts[costs.index(least[first])]
    found = [0]
    while found[-1] < count:
        found.append(end[found[-1]])
    return found


def _stacked(parts: Sequence[Tensor], *, longest: int) -> Tensor:
    """[all moments + 1, longest, …]: the parts widened, then a row of zeros."""
    there = [part for part in parts if len(part)] or parts[:1]
    wide = [widened(part, longest) for part in there]
    return torch.cat([*wide, wide[0].new_zeros(1, *wide[0].shape[1:])])
