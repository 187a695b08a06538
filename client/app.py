"""Flower's ClientApp: decodes a message, lets the device answer, keeps its state."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp

from client.demands import read_demands
from client.device import NEW, DeviceState, accept, show, visit
from client.floor import Floor
from client.sections import read_sections
from protocol.arrays import decode_vector
from protocol.codec import (
    FROZEN,
    VECTORS,
    decode_task,
    encode_declined,
    encode_device,
    encode_measured,
    encode_update,
)
from protocol.messages import (
    Declined,
    Malformed,
    Measured,
    Task,
    Update,
    Vector,
)
from protocol.rebuild import SettingError

if TYPE_CHECKING:
    from client.equipment import Equipment, Frozen

    Together = Callable[[Sequence[Equipment], Task, Frozen], Iterable[Vector]]

FAILED = 100
STATE = "device"

app = ClientApp()
log = logging.getLogger(__name__)
_one_at_a_time = Lock()
Answer = Callable[[Message, Context], RecordDict]


def _without_text(answer: Answer) -> Callable[[Message, Context], Message]:
    """Turns an exception into an error that says nothing of what caused it."""

    @wraps(answer)
    def handler(message: Message, context: Context) -> Message:
        try:
            return Message(answer(message, context), reply_to=message)
        except Exception as failure:
            log.warning("a device failed with %s", type(failure).__name__)
            return Message(Error(FAILED, "device failed"), reply_to=message)

    return handler


@app.train()
@_without_text
def train(message: Message, context: Context) -> RecordDict:
    """Answers a task with an update, or with why there is none."""
    task, equipment = decode_task(message.content), _equipment(context)
    reply, state = visit(
        task,
        _state(context),
        floor=_floor(context),
        digest=equipment.digest,
        train=lambda: equipment.train(task, lambda: _frozen(task, context)),
    )
    _keep(context, state, message.content)
    return encode_update(reply) if isinstance(reply, Update) else encode_declined(reply)


def train_cohort(
    cohort: Sequence[tuple[Message, Context]], *, together: "Together | None" = None
) -> list[Message]:
    """Answers each message as ``train`` does, in order; devices train together.

    Updates are those of ``train`` up to float rounding. Those that do not take part, or have
    another task than the first, are answered alone, as is a device's second message; a device
    that fails, fails alone.

    Args:
        cohort: Messages and what their devices keep.
        together: Stands in for ``client.equipment.train_together``, elsewhere than here.
    """
    try:
        answers = _trained(cohort, together)
    except Exception as failure:
        log.warning("devices that train together failed with %s", type(failure).__name__)
        answers = {}
    return [
        Message(answers[place], reply_to=message)
        if place in answers
        else _alone(message, context)
        for place, (message, context) in enumerate(cohort)
    ]


def _alone(message: Message, context: Context) -> Message:
    """One at a time, for cohorts may come from several threads and models are shared."""
    with _one_at_a_time:
        return app(message, context)


def _trained(
    cohort: Sequence[tuple[Message, Context]], together: "Together | None"
) -> dict[int, RecordDict]:
    """The updates by place in the cohort; nothing is kept unless all of them are there."""
    from client.equipment import train_together

    places, states, equipments = [], [], []
    first: Task | None = None
    visited: set[int] = set()
    for place, (message, context) in enumerate(cohort):
        if id(context) in visited:
            continue
        visited.add(id(context))
        task, equipment = decode_task(message.content), _equipment(context)
        state = accept(task, _state(context), floor=_floor(context), digest=equipment.digest)
        if isinstance(state, Declined) or not (first is None or _same(task, first)):
            continue
        first = first or task
        places.append(place)
        states.append(state)
        equipments.append(equipment)
    if first is None:
        return {}
    given, context = first, cohort[places[0]][1]
    train = together or train_together
    deltas = list(train(equipments, given, lambda: _frozen(given, context)))
    answers = {}
    for place, state, delta in zip(places, states, deltas, strict=True):
        message, context = cohort[place]
        _keep(context, state, message.content)
        update = Update(round=given.round, attempt=given.attempt, delta=delta)
        answers[place] = encode_update(update)
    return answers


def _same(task: Task, other: Task) -> bool:
    """Whether two devices were given the same work on the same parameters."""
    return (
        (task.round, task.attempt, task.work, task.digest)
        == (other.round, other.attempt, other.work, other.digest)
    ) and np.array_equal(task.parameters.view(np.uint32), other.parameters.view(np.uint32))


@app.evaluate()
@_without_text
def evaluate(message: Message, context: Context) -> RecordDict:
    """Answers a task with the device's own figures; a private run has none to give."""
    task, equipment = decode_task(message.content), _equipment(context)
    held = show(task, _state(context), floor=_floor(context), digest=equipment.digest)
    if isinstance(held, Declined):
        return encode_declined(held)
    figures = equipment.evaluate(task, lambda: _frozen(task, context))
    return encode_measured(Measured(round=task.round, attempt=task.attempt, figures=figures))


@app.query()
@_without_text
def query(message: Message, context: Context) -> RecordDict:
    """Answers which device this node is."""
    return encode_device(_device(context))


def _equipment(context: Context) -> "Equipment":
    from client.equipment import Equipment

    return Equipment(device=_device(context), sections=read_sections(_configuration(context)))


def _floor(context: Context) -> Floor:
    """What the device demands; its operator reads in its own log what is wrong with that."""
    from client.promise import floor

    try:
        demands = read_demands(context.node_config)
    except SettingError as failure:
        log.error("the device takes part in nothing: %s", failure)
        raise
    return floor(_configuration(context), demands)


def _configuration(context: Context) -> str:
    return str(context.run_config["config"])


def _device(context: Context) -> int:
    return int(context.node_config["partition-id"])


def _state(context: Context) -> DeviceState:
    kept: Mapping[str, Any] | None = context.state.config_records.get(STATE)
    if kept is None:
        return NEW
    if {name: type(value) for name, value in kept.items()} != DeviceState.__annotations__:
        raise ValueError("the state that the device kept is damaged.")
    return DeviceState(**kept)


def _keep(context: Context, state: DeviceState, content: RecordDict) -> None:
    """Keeps the state, and the very array of a frozen part that was accepted."""
    old = _state(context)
    context.state[STATE] = ConfigRecord(asdict(state))
    if state.digest != old.digest:
        context.state[FROZEN] = ArrayRecord({FROZEN: content.array_records[VECTORS][FROZEN]})


def _frozen(task: Task, context: Context) -> Vector:
    if task.frozen is not None:
        return task.frozen
    held = decode_vector(context.state.array_records[FROZEN][FROZEN])
    if isinstance(held, Malformed):
        raise ValueError("the frozen part that the device kept is damaged.")
    return held
