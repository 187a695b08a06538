"""Flower's ClientApp: decodes a message, lets the device answer, keeps its state."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp

from client.consent.agreement import DeviceState, accept, show
from client.consent.floor import Floor
from client.consent.operator import OperatorPolicy, read_policy
from client.context import configuration, device_number, frozen_part, keep, state_of
from client.own_sections import own_sections
from client.sections import read_sections
from privacy.ledger.chain import LedgerError
from protocol.codec import (
    decode_task,
    encode_declined,
    encode_device,
    encode_measured,
    encode_update,
)
from protocol.messages import (
    Declined,
    Measured,
    Task,
    Update,
    Vector,
)
from protocol.rebuild import SettingError

if TYPE_CHECKING:
    from client.consent.device_ledger import DeviceLedger
    from client.local_device import Frozen, LocalDevice

    Together = Callable[[Sequence[LocalDevice], Task, Frozen], Iterable[Vector]]

FAILED = 100
"""Code of the error that answers for a device: none of Flower's own, which end at 8, so that a
log shows whose it is. The server reads no code."""

app = ClientApp()
log = logging.getLogger(__name__)
_one_at_a_time = Lock()
Answer = Callable[[Message, Context], RecordDict]


class WorkersLostError(ValueError):
    """Whoever trains devices elsewhere is gone: they are not trained here in its place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Visit:
    """A visit that the device agreed to and has charged: it may be trained and sent."""

    message: Message
    context: Context
    task: Task
    local: "LocalDevice"
    state: DeviceState

    def frozen(self) -> Vector:
        return frozen_part(self.task, self.context)

    def trained(self) -> RecordDict:
        """The update; noise alone where a private device fails, for why may say what it has.

        What does not come from photos fails again, and is answered by an error.
        """
        try:
            delta = self.local.train(self.task, self.frozen)
        except Exception as failure:
            if not self.local.sections.private:
                raise
            log.warning("a visit failed with %s: noise alone", type(failure).__name__)
            delta = self.local.train_on_nothing(self.task, self.frozen)
        return self.sent(delta)

    def sent(self, delta: Vector) -> RecordDict:
        """Keeps the state and then returns the update."""
        keep(self.context, self.state, self.message.content)
        task = self.task
        return encode_update(Update(round=task.round, attempt=task.attempt, delta=delta))


def _without_text(answer: Answer) -> Callable[[Message, Context], Message]:
    """Turns an exception into an error that says nothing of what caused it."""

    @wraps(answer)
    def handler(message: Message, context: Context) -> Message:
        return _answered(message, lambda: answer(message, context))

    return handler


def _answered(message: Message, answer: Callable[[], RecordDict]) -> Message:
    try:
        return Message(answer(), reply_to=message)
    except Exception as failure:
        log.warning("a device failed with %s", type(failure).__name__)
        return Message(Error(FAILED, "device failed"), reply_to=message)


@app.train()
@_without_text
def train(message: Message, context: Context) -> RecordDict:
    """Answers a task with an update, or with why there is none."""
    with _lasting(context):
        begun = _begun(message, context, decode_task(message.content))
        return begun.trained() if isinstance(begun, _Visit) else encode_declined(begun)


@contextmanager
def _lasting(context: Context) -> Iterator[None]:
    """Ends after the public time of a private visit, also where it fails.

    How long training takes shows how large the library is.
    """
    began = time.monotonic()
    try:
        yield
    finally:
        sections = read_sections(configuration(context))
        seconds = sections.training.seconds if sections.private else None
        left = 0.0 if seconds is None else began + seconds - time.monotonic()
        if left < 0:
            log.warning("a visit lasted longer than training.seconds: its time may be seen")
        time.sleep(max(0.0, left))


def _begun(message: Message, context: Context, task: Task) -> _Visit | Declined:
    """Charges the visit before it is trained: how far one that fails came is not known."""
    local, policy = _local_device(context), _policy(context)
    state, floor = state_of(context), _floor(context, policy)
    with _ledger(context, policy) as ledger:
        state = replace(state, participations=max(state.participations, ledger.visits))
        accepted = accept(task, state, floor=floor, digest=local.digest)
        accepted = ledger.within(accepted, task, most=policy.max_epsilon)
        if not isinstance(accepted, Declined):
            ledger.charge(task, visits=accepted.participations)
    if isinstance(accepted, Declined):
        keep(context, state, message.content)
        return accepted
    return _Visit(message=message, context=context, task=task, local=local, state=accepted)


def train_cohort(
    cohort: Sequence[tuple[Message, Context]], *, together: "Together | None" = None
) -> list[Message]:
    """Answers each message as ``train`` does, in order; devices train together.

    Updates are those of ``train`` up to float rounding. Those that do not take part, or have
    another task than the first, are answered alone, as is a device's second message; a device
    that fails, fails alone. A visit is charged once, also where it is trained again alone.

    Args:
        cohort: Messages and what their devices keep.
        together: Stands in for ``client.local_device.train_together``, elsewhere than here.

    Raises:
        WorkersLostError: ``together`` did.
    """
    visits = _begun_alike(cohort)
    try:
        answers = _trained(visits, together)
    except WorkersLostError:
        raise
    except Exception as failure:
        log.warning("devices that train together failed with %s", type(failure).__name__)
        answers = {}
    return [
        Message(answers[place], reply_to=message)
        if place in answers
        else _alone(message, context, visits.get(place))
        for place, (message, context) in enumerate(cohort)
    ]


def _alone(message: Message, context: Context, visit: _Visit | None) -> Message:
    """One at a time, for cohorts may come from several threads and models are shared."""
    with _one_at_a_time:
        return app(message, context) if visit is None else _answered(message, visit.trained)


def _begun_alike(cohort: Sequence[tuple[Message, Context]]) -> dict[int, _Visit]:
    """The first visit of each device that was given the first one's task, by its place."""
    visits: dict[int, _Visit] = {}
    first: Task | None = None
    visited: set[int] = set()
    for place, (message, context) in enumerate(cohort):
        if id(context) in visited:
            continue
        visited.add(id(context))
        # Whoever fails here is answered alone: there it fails again and says why.
        with suppress(Exception):
            task = decode_task(message.content)
            if first is None or _same(task, first):
                begun = _begun(message, context, task)
                if isinstance(begun, _Visit):
                    visits[place], first = begun, first or task
    return visits


def _trained(
    visits: Mapping[int, _Visit], together: "Together | None"
) -> dict[int, RecordDict]:
    """The updates by place in the cohort; nothing is kept unless all of them are there."""
    from client.local_device import train_together

    if not visits:
        return {}
    first, train = next(iter(visits.values())), together or train_together
    devices = [visit.local for visit in visits.values()]
    deltas = list(train(devices, first.task, first.frozen))
    return {
        place: visit.sent(delta)
        for (place, visit), delta in zip(visits.items(), deltas, strict=True)
    }


def _same(task: Task, other: Task) -> bool:
    """Whether two devices were given the same terms on the same parameters."""
    return (
        (task.round, task.attempt, task.terms, task.digest)
        == (other.round, other.attempt, other.terms, other.digest)
    ) and np.array_equal(task.parameters.view(np.uint32), other.parameters.view(np.uint32))


@app.evaluate()
@_without_text
def evaluate(message: Message, context: Context) -> RecordDict:
    """Answers a task with the device's own figures; a private run has none to give."""
    task, local = decode_task(message.content), _local_device(context)
    floor = _floor(context, _policy(context))
    held = show(task, state_of(context), floor=floor, digest=local.digest)
    if isinstance(held, Declined):
        return encode_declined(held)
    figures = local.evaluate(task, lambda: frozen_part(task, context))
    return encode_measured(Measured(round=task.round, attempt=task.attempt, figures=figures))


@app.query()
@_without_text
def query(message: Message, context: Context) -> RecordDict:
    """Answers which device this node is."""
    return encode_device(device_number(context))


def _local_device(context: Context) -> "LocalDevice":
    from client.local_device import LocalDevice

    sections = read_sections(configuration(context))
    with _logged(ValueError):
        own = own_sections(sections, _policy(context))
    return LocalDevice(device=device_number(context), sections=own)


def _policy(context: Context) -> OperatorPolicy:
    with _logged(SettingError):
        return read_policy(context.node_config)


def _floor(context: Context, policy: OperatorPolicy) -> Floor:
    """What the device demands of any task."""
    from client.consent.configured_floor import floor

    return floor(configuration(context), policy)


@contextmanager
def _ledger(context: Context, policy: OperatorPolicy) -> "Iterator[DeviceLedger]":
    """The device's own ledger, where its operator names a folder."""
    from client.consent.device_ledger import device_ledger

    text, device = configuration(context), device_number(context)
    with _logged(LedgerError), device_ledger(policy.ledger, text, device=device) as ledger:
        yield ledger


@contextmanager
def _logged(kind: type[Exception]) -> Iterator[None]:
    """The operator reads in the device's own log what is wrong with what they gave."""
    try:
        yield
    except kind as failure:
        log.error("the device takes part in nothing: %s", failure)
        raise
