"""Which device a node is: its operator says so, or Flower where it simulates."""

from collections.abc import Mapping
from typing import Any

from protocol.rebuild import SettingError, shown

DEVICE = "device"
PARTITION = "partition-id"
"""Flower's own name of the number, which its simulation sets and many operators do."""

MOST = 100_000_000
"""Numbers there are: as many as ``photos.devices`` may say. A larger one is a mistake."""


def own_number(node_config: Mapping[str, Any]) -> int:
    """Returns the device's number, from 0; ``device`` goes before Flower's ``partition-id``.

    Raises:
        SettingError: There is none, or it is no whole number from 0.
    """
    for key in (DEVICE, PARTITION):
        if key in node_config:
            return _whole(key, node_config[key])
    raise SettingError(
        "node-config: 'device' is missing: give each SuperNode a number of its own, from 0 to "
        "photos.devices − 1."
    )


def _whole(key: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value < MOST:
        raise SettingError(
            f"node-config: {key}={shown(value)} must be a whole number from 0 to "
            f"photos.devices − 1."
        )
    return value
