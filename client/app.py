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

from client import given
from client.consent.agreement import DeviceState, accept, show
from client.context import configuration, frozen_part, keep, state_of
from client.sections import read_sections
from protocol.codec import (
    decode_notice,
    decode_task,
    encode_declined,
    encode_device,
    encode_measured,
    encode_update,
)
from protocol.messages import Declined, DeclineReason, Measured, Task, Update, Vector
from protocol.rebuild import SettingError

if TYPE_CHECKING:
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
        # The log says what a setting lacks; the text of anything else may hold a photo's name.
        said = f": {failure}" if isinstance(failure, SettingError) else ""
        log.warning("a device failed with %s%s", type(failure).__name__, said)
        return Message(Error(FAILED, "device failed"), reply_to=message)


@app.train()
@_without_text
def train(message: Message, context: Context) -> RecordDict:
    """Answers a task with an update, or with why there is none."""
    with _lasting(context):
        begun = _begun(message, context, decode_task(message.content))
        if isinstance(begun, _Visit):
            return begun.trained()
        given.say_declined(context, begun)
        return encode_declined(begun)


@contextmanager
def _lasting(context: Context) -> Iterator[None]:
    """Ends after the public time of a private visit, also where it fails.

    How long training takes shows how large the library is.
    """
    began = time.monotonic()
    seconds = _public_seconds(context)
    try:
        yield
    finally:
        left = 0.0 if seconds is None else began + seconds - time.monotonic()
        if left < 0:
            log.warning("a visit lasted longer than training.seconds: its time may be seen")
        time.sleep(max(0.0, left))


def _public_seconds(context: Context) -> float | None:
    """None where there is nothing to hide, or the configuration is nobody's who may set it."""
    if not given.agreed(context):
        return None
    sections = read_sections(configuration(context))
    return sections.training.seconds if sections.private else None


def _begun(message: Message, context: Context, task: Task) -> _Visit | Declined:
    """Charges the visit before it is trained: how far one that fails came is not known."""
    state = state_of(context)
    if not given.agreed(context):
        keep(context, state, message.content)
        return _unagreed(task)
    local, policy = _local_device(context), given.policy(context)
    floor = given.floor(context, policy)
    with given.ledger(context, policy) as ledger:
        state = replace(state, participations=max(state.participations, ledger.visits))
        accepted = accept(task, state, floor=floor, digest=local.digest)
        accepted = ledger.within(accepted, task, most=policy.max_epsilon)
        if not isinstance(accepted, Declined):
            ledger.charge(task, visits=accepted.participations)
    if isinstance(accepted, Declined):
        keep(context, state, message.content)
        return accepted
    given.say_visit(context, visits=accepted.participations)
    return _Visit(message=message, context=context, task=task, local=local, state=accepted)


def _unagreed(task: Task) -> Declined:
    reason = DeclineReason.ANOTHER_CONFIGURATION
    return Declined(round=task.round, attempt=task.attempt, reason=reason)


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
    task = decode_task(message.content)
    if not given.agreed(context):
        return encode_declined(_unagreed(task))
    local, floor = _local_device(context), given.floor(context, given.policy(context))
    held = show(task, state_of(context), floor=floor, digest=local.digest)
    if isinstance(held, Declined):
        return encode_declined(held)
    figures = local.evaluate(task, lambda: frozen_part(task, context))
    return encode_measured(Measured(round=task.round, attempt=task.attempt, figures=figures))


@app.query()
@_without_text
def query(message: Message, context: Context) -> RecordDict:
    """Answers which device this node is, where it has all that it needs to take part.

    A server that leaves the node out sends the same query again and says why.
    """
    reason = decode_notice(message.content)
    if reason is not None:
        given.say_left_out(context, reason)
    return encode_device(_local_device(context).device)


def _local_device(context: Context) -> "LocalDevice":
    from client.local_device import LocalDevice

    return LocalDevice(device=given.number(context), sections=given.sections(context))
