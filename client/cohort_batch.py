"""Many devices' drawn moments as dense tensors: devices × moments × photos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from client.engine import Examples
from photos.library import LARGEST_MOMENT

LENGTHS = (4, 8, LARGEST_MOMENT)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """The moments of one step, of similar length, side by side for every device.

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


class Shelf:
    """All moments of some devices, from which the batches of every step are gathered.

    Moments lie one after another, whatever device they are of; the last row is padding.
    """

    def __init__(self, devices: Sequence[Examples]) -> None:
        longest = max(own.where.shape[1] for own in devices)
        self._inputs = _stacked([own.inputs for own in devices], longest=longest)
        self._gains = _stacked([own.gains for own in devices], longest=longest)
        self._where = _stacked([own.where for own in devices], longest=longest)
        self._inputs[~self._where] = 0
        self._gains[~self._where] = 0
        counts = [len(own.numbers) for own in devices]
        self._owner = np.repeat(np.arange(len(devices)), counts)
        self._length = self._where[:-1].sum(1).numpy()
        self._devices = len(devices)

    def batches(self, drawn: NDArray[np.bool_], *, moments: int) -> Iterator[Batch]:
        """Yields the drawn moments, short ones apart from long ones so that little is padded.

        Args:
            drawn: [all moments] which of them take part.
            moments: Moments of one device in one batch at most.
        """
        shortest = 0
        for longest in LENGTHS:
            within = drawn & (shortest < self._length) & (self._length <= longest)
            rows = self._by_device(np.flatnonzero(within))
            for some in np.split(rows, range(moments, rows.shape[1], moments), axis=1):
                if some.size:
                    yield self._batch(some, longest=longest)
            shortest = longest

    def _by_device(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """[devices, moments]: the rows of each device, padded by the row of padding."""
        counts = np.bincount(self._owner[rows], minlength=self._devices)
        place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        table = np.full((self._devices, counts.max(initial=0)), len(self._owner))
        table[self._owner[rows], place] = rows
        return table

    def _batch(self, rows: NDArray[np.intp], *, longest: int) -> Batch:
        index = torch.from_numpy(rows)
        return Batch(
            inputs=self._inputs[:, :longest][index],
            gains=self._gains[:, :longest][index],
            where=self._where[:, :longest][index],
        )


def _stacked(parts: Sequence[Tensor], *, longest: int) -> Tensor:
    """[all moments + 1, longest, …]: the parts widened, then a row of zeros."""
    widened = [
        pad(part, [*([0, 0] * (part.ndim - 2)), 0, longest - part.shape[1]]) for part in parts
    ]
    return torch.cat([*widened, widened[0].new_zeros(1, *widened[0].shape[1:])])
