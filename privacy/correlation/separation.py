"""Who may take part where noise is correlated: never too often, and never too soon again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEVER = -1
"""The row of a device that never took part: no row of an array has that number."""

Numbers = NDArray[np.int64]


def largest_participations(rounds: int, separation: int) -> int:
    """Returns how often a device can take part in ``rounds``, at that separation."""
    return -(-rounds // separation)


class MinSeparation:
    """A ledger of the devices that took part.

    Guarantee: whatever ``took_part`` accepts, every device has at most ``participations``
    rounds and any two of them lie at least ``separation`` apart (min-separation participation,
    Choquette-Choo et al., arXiv 2306.08153). Rounds are counted as the rows of the noise are:
    from 0, and only those that are released.

    A row of the ledger is made when a device first takes part: two int32 in arrays.
    """

    def __init__(self, separation: int, participations: int) -> None:
        """Starts a ledger in which no device took part.

        Args:
            separation: Rounds from one participation to the next, at least.
            participations: Participations of one device, at most.

        Raises:
            ValueError: A number is below 1.
        """
        if min(separation, participations) < 1:
            raise ValueError(
                f"separation={separation} and participations={participations} must be at least "
                "1; a device that never takes part needs no ledger."
            )
        self._separation = separation
        self._participations = participations
        self._rows: dict[int, int] = {}
        self._last = np.zeros(0, np.int32)
        self._taken = np.zeros(0, np.int32)

    def eligible(self, devices: Numbers, number: int) -> NDArray[np.bool_]:
        """Returns [devices] whether each may take part in round ``number``."""
        found = [self._rows.get(device, NEVER) for device in devices.tolist()]
        rows = np.array(found, np.int64)
        may = np.ones(len(devices), np.bool_)
        known = rows != NEVER
        rested = number - self._last[rows[known]].astype(np.int64) >= self._separation
        may[known] = rested & (self._taken[rows[known]] < self._participations)
        return may

    def took_part(self, devices: Numbers, number: int) -> None:
        """Enters the devices of a round, all of them or none.

        Args:
            devices: [cohort] numbers of devices, each once.
            number: The number of the round, from 0 upwards.

        Raises:
            ValueError: A device was not eligible or is named twice.
        """
        found, times = np.unique(devices, return_counts=True)
        refused = found[~self.eligible(found, number) | (times > 1)].tolist()
        if refused:
            raise ValueError(
                f"a device may take part every {self._separation} rounds and "
                f"{self._participations} times in all, and round {number} is too much for "
                f"devices {refused}; ask eligible() first."
            )
        rows = [self._rows.setdefault(device, len(self._rows)) for device in devices.tolist()]
        self._grow()
        self._last[rows] = number
        self._taken[rows] += 1

    def participations(self, devices: Numbers) -> NDArray[np.int32]:
        """Returns [devices] how often each took part."""
        taken = np.append(self._taken, np.int32(0))
        rows = [self._rows.get(device, len(self._taken)) for device in devices.tolist()]
        return taken[np.array(rows, np.int64)]

    def state(self) -> dict[str, NDArray[Any]]:
        """Returns a copy of the ledger: ``devices``, ``last`` and ``taken``, each [known]."""
        known = len(self._rows)
        return {
            "devices": np.array(list(self._rows), np.int64),
            "last": self._last[:known].copy(),
            "taken": self._taken[:known].copy(),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continues from what ``state`` returned."""
        self._rows = {device: row for row, device in enumerate(state["devices"].tolist())}
        self._last = state["last"].astype(np.int32)
        self._taken = state["taken"].astype(np.int32)

    def _grow(self) -> None:
        """Makes room for every row, at least doubling so that growth is rare."""
        missing = len(self._rows) - len(self._last)
        if missing > 0:
            more = np.zeros(max(missing, len(self._last)), np.int32)
            self._last = np.concatenate([self._last, more])
            self._taken = np.concatenate([self._taken, more])
