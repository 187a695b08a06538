"""One device's answer to a task: a function of the task and the device's own state."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from client.consent.floor import Floor
from protocol.messages import Declined, DeclineReason, Task, Vector


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceState:
    """What a device remembers between tasks.

    Attributes:
        participations: Visits so far.
        digest: Digest of the frozen part that it holds, recomputed when that came; "" for none.
        configuration: Digest of the configuration of its visits; "" before the first.
    """

    participations: int
    digest: str
    configuration: str


NEW = DeviceState(participations=0, digest="", configuration="")


def accept(
    task: Task, state: DeviceState, *, floor: Floor, digest: Callable[[Vector], str]
) -> DeviceState | Declined:
    """Returns the state with this visit counted, or why the device does not take part.

    The device counts by itself: a task's own limit can only make it stop earlier. The new state
    must be kept, and charged where there is a ledger, before the update leaves.

    Args:
        task: What the server asks.
        state: What the device remembers.
        floor: What the device demands of any task.
        digest: Computes the digest of a frozen part.
    """
    reason = _objection(task, state, floor=floor)
    if reason is not None:
        return _declined(task, reason)
    held = hold(task, state, digest=digest)
    if isinstance(held, Declined):
        return held
    return replace(
        held, participations=state.participations + 1, configuration=floor.configuration
    )


def show(
    task: Task, state: DeviceState, *, floor: Floor, digest: Callable[[Vector], str]
) -> DeviceState | Declined:
    """Returns the state of a device that may show its own figures, or why it does not."""
    if not floor.agrees(state.configuration):
        return _declined(task, DeclineReason.ANOTHER_CONFIGURATION)
    if floor.private:
        return _declined(task, DeclineReason.PRIVATE_RUN)
    return hold(task, state, digest=digest)


def hold(
    task: Task, state: DeviceState, *, digest: Callable[[Vector], str]
) -> DeviceState | Declined:
    """Returns the state with the task's frozen part held, or why it cannot be."""
    held = state.digest if task.frozen is None else digest(task.frozen)
    if not held:
        return _declined(task, DeclineReason.FROZEN_PART_MISSING)
    if held != task.digest:
        return _declined(task, DeclineReason.FROZEN_PART_DIFFERS)
    return replace(state, digest=held)


def _objection(task: Task, state: DeviceState, *, floor: Floor) -> DeclineReason | None:
    if not floor.agrees(state.configuration):
        return DeclineReason.ANOTHER_CONFIGURATION
    limit = task.terms.max_participations
    if limit and state.participations >= limit:
        return DeclineReason.PARTICIPATIONS_SPENT
    return floor.declines(task.terms, visits=state.participations) or floor.refuses(task)


def _declined(task: Task, reason: DeclineReason) -> Declined:
    return Declined(round=task.round, attempt=task.attempt, reason=reason)
