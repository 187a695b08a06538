"""One device's answer to a task: a function of the task and the device's own state."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from protocol.messages import Declined, DeclineReason, Task, Update, Vector


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceState:
    """What a device remembers between tasks.

    Attributes:
        participations: Visits so far.
        digest: Digest of the frozen part that it holds, recomputed when that came; "" for none.
    """

    participations: int
    digest: str


NEW = DeviceState(participations=0, digest="")


def visit(
    task: Task,
    state: DeviceState,
    *,
    digest: Callable[[Vector], str],
    train: Callable[[], Vector],
) -> tuple[Update | Declined, DeviceState]:
    """Returns the answer and the state to keep, which must be kept before the answer leaves.

    Args:
        task: What the server asks.
        state: What the device remembers.
        digest: Computes the digest of a frozen part.
        train: Trains as the task says and returns the difference of the parameters [trainable];
            called only by a device that takes part.
    """
    accepted = accept(task, state, digest=digest)
    if isinstance(accepted, Declined):
        return accepted, state
    return Update(round=task.round, attempt=task.attempt, delta=train()), accepted


def accept(
    task: Task, state: DeviceState, *, digest: Callable[[Vector], str]
) -> DeviceState | Declined:
    """Returns the state with this visit counted, or why the device does not take part."""
    limit = task.work.max_participations
    if limit and state.participations >= limit:
        return _declined(task, DeclineReason.PARTICIPATIONS_SPENT)
    held = hold(task, state, digest=digest)
    if isinstance(held, Declined):
        return held
    return replace(held, participations=state.participations + 1)


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


def _declined(task: Task, reason: DeclineReason) -> Declined:
    return Declined(round=task.round, attempt=task.attempt, reason=reason)
