"""Which devices are there when a run begins: all of them, or enough."""

import logging
import time
from collections import Counter
from collections.abc import Mapping

from flwr.serverapp import Grid

from server.rounds.growing_directory import GrowingDirectory

POLL_SECONDS = 0.5
"""Seconds between two looks at the list of nodes, each of which asks Flower's SuperLink.
Longer, a run begins later."""

log = logging.getLogger("flwr.darkroom")
Said = Mapping[int, int | None]


def queried_directory(
    grid: Grid, devices: int, *, timeout: float, quorum: int = 0
) -> GrowingDirectory:
    """Asks every node which device it is and returns the directory, which grows from then on.

    A run begins when ``quorum`` devices have said so. Without a quorum it begins when every
    device has, or, after ``timeout``, when more than half have: no single node can hold it up.

    Args:
        grid: Flower's grid.
        devices: Devices that may train, numbered from 0.
        timeout: Seconds to wait at most.
        quorum: Devices to begin with; 0 for all, or more than half of them.

    Raises:
        ValueError: There are fewer.
    """
    directory = GrowingDirectory(grid, devices, timeout=timeout)
    least = quorum or devices // 2 + 1
    said = _said(directory, quorum or devices, least=least, timeout=timeout)
    directory.settle(said)
    if directory.present < least:
        raise ValueError(_too_few(directory, said, least=least, timeout=timeout))
    if directory.present < devices:
        log.warning(
            "darkroom: the run begins with %d of photos.devices=%d devices; others take part "
            "from the round after they come",
            directory.present,
            devices,
        )
    return directory


def _said(directory: GrowingDirectory, wanted: int, *, least: int, timeout: float) -> Said:
    """What nodes say until enough have, or the time is over.

    As many nodes as there are devices are enough too, also where some of them say nothing that
    can be used: who waits for better ones waits for ever.
    """
    deadline = time.monotonic() + timeout
    said: dict[int, int | None] = {}
    while True:
        said |= directory.hear()
        single = len(_single(said, directory.devices))
        devices = sum(one is None or one < directory.devices for one in said.values())
        enough = single >= wanted or (single >= least and devices >= directory.devices)
        if enough or time.monotonic() >= deadline:
            return said
        time.sleep(POLL_SECONDS)


def _single(said: Said, devices: int) -> set[int]:
    """Numbers of training devices that one node alone says."""
    counts = Counter(number for number in said.values() if number is not None)
    return {number for number, nodes in counts.items() if nodes == 1 and number < devices}


def _too_few(directory: GrowingDirectory, said: Said, *, least: int, timeout: float) -> str:
    first = next(one for one in range(directory.devices) if directory.node(one) is None)
    counts = Counter(number for number in said.values() if number is not None)
    twice = [number for number, nodes in counts.items() if nodes > 1]
    same = (
        f" Two nodes have the same partition-id or device, {min(twice)}: give each SuperNode "
        "its own."
        if twice
        else ""
    )
    return (
        f"only {directory.present} of photos.devices={directory.devices} devices answered "
        f"within server.timeout={timeout:g} s, device {first} not among them, and the run "
        f"needs {least}; start more, lower photos.devices, or name a smaller quorum in the "
        f"run-config.{same}"
    )
