"""Many devices' drawn moments as dense tensors: devices × moments × photos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from client.engine import Examples
from client.examples import widened

Indices = NDArray[np.intp]
VALUES = 2 * 1024**2
"""Values of all photos of a batch at most, however many moments it may have."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """Some moments of one step, side by side for some devices.

    Attributes:
        inputs: [devices, moments, photos, …] embeddings or pixels; zero where padded.
        gains: [devices, moments, photos]; zero where padded.
        where: [devices, moments, photos] bool; a moment of padding alone is none.
    """

    inputs: Tensor
    gains: Tensor
    where: Tensor

    def of(self, devices: slice) -> "Batch":
        """Returns the moments of some devices."""
        return Batch(
            inputs=self.inputs[devices], gains=self.gains[devices], where=self.where[devices]
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Draw:
    """The drawn moments of one step.

    Attributes:
        order: [devices] the devices, those of most moments first: a batch of n devices is of
            the first n.
        rows: [devices in that order, moments] rows of the shelf, longest moments first.
        counts: [devices in that order] how many of them are moments.
    """

    order: Indices
    rows: Indices
    counts: Indices

    @property
    def sorted(self) -> bool:
        """Whether ``order`` is the devices' own."""
        return bool((self.order[1:] > self.order[:-1]).all())


class Shelf:
    """All moments of some devices, from which the batches of every step are gathered.

    Moments lie one after another, whatever device they are of; the last row is padding.
    """

    def __init__(self, devices: Sequence[Examples], *, accelerator: torch.device) -> None:
        longest = max(own.where.shape[1] for own in devices)
        self._inputs = _stacked([own.inputs for own in devices], longest=longest)
        self._gains = _stacked([own.gains for own in devices], longest=longest)
        self._where = _stacked([own.where for own in devices], longest=longest)
        self._inputs[~self._where] = 0
        self._gains[~self._where] = 0
        counts = [len(own.numbers) for own in devices]
        self._owner = np.repeat(np.arange(len(devices)), counts)
        self._length = self._where.sum(1).numpy()
        self._inputs, self._gains, self._where = (
            values.to(accelerator) for values in (self._inputs, self._gains, self._where)
        )
        self._devices = len(devices)

    def draw(self, drawn: NDArray[np.bool_]) -> Draw:
        """Lays out the moments that take part, [all moments] bool."""
        rows = np.flatnonzero(drawn)
        counts = np.bincount(self._owner[rows], minlength=self._devices)
        order = np.argsort(-counts, kind="stable")
        place = np.argsort(order)[self._owner[rows]]
        by_device = np.lexsort((-self._length[rows], place))
        rows, place, counts = rows[by_device], place[by_device], counts[order]
        rank = np.arange(len(rows)) - (np.cumsum(counts) - counts)[place]
        table = np.full((self._devices, counts.max(initial=0)), len(self._owner))
        table[place, rank] = rows
        return Draw(order=order, rows=table, counts=counts)

    def batches(self, draw: Draw, *, moments: int, spare: int) -> Iterator[Batch]:
        """Yields the moments of ``draw`` in the batches that cost least.

        Args:
            draw: From ``draw``.
            moments: Moments of one device in one batch at most; fewer where photos are large.
            spare: Photos of padding that cost no more than another batch would.
        """
        ranks = range(draw.rows.shape[1])
        devices = [int((draw.counts > rank).sum()) for rank in ranks]
        longest = self._length[draw.rows].max(0, initial=0).tolist()
        per_photo = self._inputs[0, :1].numel()
        whole = max(1, devices[0] * longest[0] * per_photo) if devices else 1
        most = min(moments, max(1, VALUES // whole))
        photos = [d * length for d, length in zip(devices, longest, strict=True)]
        for first, last in pairwise(cuts(photos, most=most, spare=spare)):
            yield self._batch(draw.rows[: devices[first], first:last], longest=longest[first])

    def _batch(self, rows: Indices, *, longest: int) -> Batch:
        index = torch.from_numpy(rows).to(self._where.device)
        return Batch(
            inputs=self._inputs[:, :longest][index],
            gains=self._gains[:, :longest][index],
            where=self._where[:, :longest][index],
        )


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
