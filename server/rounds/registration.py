"""Asks the nodes which devices they are: once in a run, where no grid knows it."""

import time
from collections.abc import Iterable

from flwr.app import Message, MessageType, RecordDict
from flwr.serverapp import Grid

from protocol.codec import decode_device
from server.rounds.directory import ListedDirectory

POLL_SECONDS = 0.5
"""Seconds between two looks at the list of nodes, each of which asks Flower's SuperLink.
Longer, a run begins later."""


def queried_directory(grid: Grid, devices: int, *, timeout: float) -> ListedDirectory:
    """Sends one query to every node and returns the directory of the training devices.

    Nodes that say they are another device, or that answer nothing usable, are left out.

    Args:
        grid: Flower's grid.
        devices: Devices that may train, numbered from 0.
        timeout: Seconds to wait for the nodes to register, and again for their answers.

    Raises:
        ValueError: Fewer nodes than devices registered in time, a device did not answer, or two
            nodes say that they are the same device.
    """
    nodes = _registered(grid, devices, timeout=timeout)
    queries = [Message(RecordDict(), node, MessageType.QUERY, ttl=timeout) for node in nodes]
    claims = _claims(grid.send_and_receive(queries, timeout=timeout))
    claimed = {device: node for device, node in claims if 0 <= device < devices}
    if len(claimed) < sum(0 <= device < devices for device, _ in claims):
        raise ValueError("two nodes have the same partition-id: give each SuperNode its own.")
    missing = [device for device in range(devices) if device not in claimed]
    if missing:
        raise ValueError(
            f"{len(missing)} of photos.devices={devices} devices did not answer within "
            f"server.timeout={timeout:g} s, the first of them device {missing[0]}; start them "
            "or lower photos.devices."
        )
    return ListedDirectory([claimed[device] for device in range(devices)])


def _registered(grid: Grid, devices: int, *, timeout: float) -> list[int]:
    deadline = time.monotonic() + timeout
    while len(nodes := sorted(grid.get_node_ids())) < devices:
        if time.monotonic() >= deadline:
            raise ValueError(
                f"only {len(nodes)} of photos.devices={devices} devices registered within "
                f"server.timeout={timeout:g} s; start more or lower photos.devices."
            )
        time.sleep(POLL_SECONDS)
    return nodes


def _claims(replies: Iterable[Message]) -> list[tuple[int, int]]:
    claims = []
    for reply in replies:
        device = None if reply.has_error() else decode_device(reply.content)
        if device is not None:
            claims.append((device, reply.metadata.src_node_id))
    return claims
