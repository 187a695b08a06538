"""What a device keeps between messages and is given at its start, in Flower's context."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flwr.app import ArrayRecord, ConfigRecord, Context, RecordDict

from client.consent.agreement import NEW, DeviceState
from client.consent.own_number import own_number
from protocol.arrays import decode_vector
from protocol.codec import FROZEN, VECTORS
from protocol.messages import Malformed, Task, Vector

STATE = "device"
"""Name of the record that holds the state."""


def configuration(context: Context) -> str:
    """Returns the whole configuration in JSON."""
    return str(context.run_config["config"])


def device_number(context: Context) -> int:
    """Returns which device this node is.

    Raises:
        SettingError: Same as ``own_number``.
    """
    return own_number(context.node_config)


def state_of(context: Context) -> DeviceState:
    """Returns what the device keeps of its visits.

    Raises:
        ValueError: It is damaged.
    """
    kept: Mapping[str, Any] | None = context.state.config_records.get(STATE)
    if kept is None:
        return NEW
    if {name: type(value) for name, value in kept.items()} != DeviceState.__annotations__:
        raise ValueError("the state that the device kept is damaged.")
    return DeviceState(**kept)


def keep(context: Context, state: DeviceState, content: RecordDict) -> None:
    """Keeps the state, and the very array of a frozen part that was accepted.

    Args:
        context: What the node keeps.
        state: After the visit.
        content: The message that was accepted.
    """
    old = state_of(context)
    context.state[STATE] = ConfigRecord(asdict(state))
    if state.digest != old.digest:
        context.state[FROZEN] = ArrayRecord({FROZEN: content.array_records[VECTORS][FROZEN]})


def frozen_part(task: Task, context: Context) -> Vector:
    """Returns the frozen part [frozen] that came with the task, or that the device kept.

    Raises:
        ValueError: What it kept is damaged.
    """
    if task.frozen is not None:
        return task.frozen
    held = decode_vector(context.state.array_records[FROZEN][FROZEN])
    if isinstance(held, Malformed):
        raise ValueError("the frozen part that the device kept is damaged.")
    return held
