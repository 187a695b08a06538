"""Which replies count: each is judged alone, and refusing one never ends the round."""

from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from protocol.messages import Declined, Malformed, RefusalReason, Update, Vector

Reply = Update | Declined | Malformed


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What a reply of this round must satisfy; all of it is public.

    Attributes:
        round: The round's number.
        attempt: The round's attempt.
        size: Length of an update.
        norm: Largest L2 norm of an update.
        cohort: Numbers of the devices asked.
    """

    round: int
    attempt: int
    size: int
    norm: float
    cohort: Container[int]


@dataclass(frozen=True, slots=True, eq=False)
class Admitted:
    """An update that counts."""

    delta: Vector


@dataclass(frozen=True, slots=True)
class Refused:
    """A reply that does not count."""

    reason: RefusalReason


Verdict = Admitted | Declined | Refused


def admit(
    reply: Reply, *, sender: int | None, answered: Container[int], expected: Expected
) -> Verdict:
    """Judges one decoded reply.

    Guarantees that an admitted update is the first answer of a device of this round's cohort,
    belongs to this round and attempt, has the expected length, only finite values and an L2
    norm of at most ``expected.norm``. Never raises.

    Args:
        reply: As the codec decoded it; kind, size and type are checked there.
        sender: Number of the device that sent it, or None for a node that is no device.
        answered: Devices whose answer to this round was judged before.
        expected: What the reply must satisfy.
    """
    reason = _stranger(sender, answered, expected) or _mismatch(reply, expected)
    if reason is not None:
        return Refused(reason)
    match reply:
        case Update(delta=delta):
            reason = _unusable(delta, expected)
            return Admitted(delta) if reason is None else Refused(reason)
        case Malformed(reason=reason):
            return Refused(reason)
        case Declined():
            return reply


def _stranger(
    sender: int | None, answered: Container[int], expected: Expected
) -> RefusalReason | None:
    if sender is None or sender not in expected.cohort:
        return RefusalReason.UNKNOWN_SENDER
    return RefusalReason.DUPLICATE if sender in answered else None


def _mismatch(reply: Reply, expected: Expected) -> RefusalReason | None:
    if isinstance(reply, Malformed):
        return reply.reason
    if (reply.round, reply.attempt) != (expected.round, expected.attempt):
        return RefusalReason.WRONG_ROUND
    return None


def _unusable(delta: Vector, expected: Expected) -> RefusalReason | None:
    if delta.shape != (expected.size,):
        return RefusalReason.WRONG_LENGTH
    if not np.isfinite(delta).all():
        return RefusalReason.NOT_FINITE
    if np.linalg.norm(delta.astype(np.float64)) > expected.norm:
        return RefusalReason.NORM
    return None
