"""Which node is which device: Flower numbers nodes at random, Darkroom numbers devices."""

from typing import Protocol


class Directory(Protocol):
    """Maps the device numbers 0 … ``devices`` − 1 to nodes and back."""

    @property
    def devices(self) -> int:
        """How many devices may train."""
        ...

    def node(self, device: int) -> int | None:
        """Returns the node of a device, or None for one that has not come."""
        ...

    def device(self, node: int) -> int | None:
        """Returns the device of a node, or None for a node that is no training device."""
        ...


class RangeDirectory:
    """Nodes numbered in a row from ``first``: nothing is stored, whatever the population."""

    def __init__(self, first: int, devices: int) -> None:
        self._nodes = range(first, first + devices)

    @property
    def devices(self) -> int:
        """How many devices may train."""
        return len(self._nodes)

    def node(self, device: int) -> int:
        """Returns the node of a device."""
        return self._nodes[device]

    def device(self, node: int) -> int | None:
        """Returns the device of a node, or None for a node outside the row."""
        return node - self._nodes.start if node in self._nodes else None
