"""Messages as Flower's records and back: one flat vector and a few scalars, both ways."""

import math
from collections.abc import Mapping
from typing import Any

from flwr.app import ArrayRecord, ConfigRecord, MetricRecord, RecordDict

from protocol.arrays import decode_vector, encode_vector
from protocol.limits import MAX_METRICS
from protocol.messages import (
    Declined,
    DeclineReason,
    LeftOut,
    Malformed,
    Measured,
    RefusalReason,
    Task,
    Update,
    Vector,
    VisitTerms,
)

SCALARS, VECTORS, FIGURES = "scalars", "vectors", "figures"
PARAMETERS, FROZEN, DELTA = "parameters", "frozen", "delta"
VISIT = {"round": int, "attempt": int}
TERMS: Mapping[str, type] = VisitTerms.__annotations__
TASK: Mapping[str, type] = {**VISIT, "digest": str, **TERMS}
NOT_A_REPLY = Malformed(RefusalReason.NOT_A_REPLY)
Scalars = dict[str, Any]


def encode_task(task: Task) -> RecordDict:
    """Returns the records of a task; a frozen part that is None is left out."""
    vectors = {PARAMETERS: task.parameters}
    if task.frozen is not None:
        vectors[FROZEN] = task.frozen
    terms = {name: kind(getattr(task.terms, name)) for name, kind in TERMS.items()}
    scalars = {"round": task.round, "attempt": task.attempt, "digest": task.digest, **terms}
    return _records(scalars, vectors)


def decode_task(content: RecordDict) -> Task:
    """Returns the task in ``content``; its vectors are read-only views.

    Raises:
        ValueError: It holds no task.
    """
    scalars = _scalars(content, TASK)
    arrays = content.array_records.get(VECTORS)
    if scalars is None or arrays is None or set(arrays) - {FROZEN} != {PARAMETERS}:
        raise ValueError("the message holds no task.")
    vectors = {name: decode_vector(array) for name, array in arrays.items()}
    parameters, frozen = vectors[PARAMETERS], vectors.get(FROZEN)
    if isinstance(parameters, Malformed) or isinstance(frozen, Malformed):
        raise ValueError("the task's vectors are not flat float32 vectors.")
    return Task(
        round=scalars["round"],
        attempt=scalars["attempt"],
        parameters=parameters,
        digest=scalars["digest"],
        frozen=frozen,
        terms=VisitTerms(**{name: scalars[name] for name in TERMS}),
    )


def encode_update(update: Update) -> RecordDict:
    """Returns the records of an update: its vector and the round it answers."""
    return _records({"round": update.round, "attempt": update.attempt}, {DELTA: update.delta})


def encode_declined(declined: Declined) -> RecordDict:
    """Returns the records of a device that does not take part."""
    visit = {"round": declined.round, "attempt": declined.attempt}
    return _records({**visit, "declined": str(declined.reason)}, {})


def decode_reply(content: RecordDict, *, size: int) -> Update | Declined | Malformed:
    """Returns what a device sent to a task, or why it is no reply. Never raises.

    Nothing is decoded before its kind and its length are known to be those of an update of
    ``size`` numbers, whose vector is a read-only view; whether it is finite is not looked at.
    """
    if set(content) == {SCALARS}:
        return _declined(content)
    scalars = _scalars(content, VISIT)
    arrays = content.array_records.get(VECTORS)
    if scalars is None or arrays is None or set(content) != {SCALARS, VECTORS}:
        return NOT_A_REPLY
    if set(arrays) != {DELTA}:
        return NOT_A_REPLY
    delta = decode_vector(arrays[DELTA], size=size)
    return delta if isinstance(delta, Malformed) else Update(**scalars, delta=delta)


def encode_measured(measured: Measured) -> RecordDict:
    """Returns the records of a device's own figures."""
    content = _records({"round": measured.round, "attempt": measured.attempt}, {})
    content[FIGURES] = MetricRecord({k: float(v) for k, v in measured.figures.items()})
    return content


def decode_measured(content: RecordDict) -> Measured | Declined | Malformed:
    """Returns what a device answered to an evaluation, or why it is no answer. Never raises."""
    if set(content) == {SCALARS}:
        return _declined(content)
    scalars = _scalars(content, VISIT)
    figures = content.metric_records.get(FIGURES)
    if scalars is None or figures is None or set(content) != {SCALARS, FIGURES}:
        return NOT_A_REPLY
    if len(figures) > MAX_METRICS:
        return Malformed(RefusalReason.TOO_LARGE)
    values = {name: value for name, value in figures.items() if isinstance(value, float)}
    if len(values) < len(figures):
        return Malformed(RefusalReason.WRONG_TYPE)
    if not all(math.isfinite(value) for value in values.values()):
        return Malformed(RefusalReason.NOT_FINITE)
    return Measured(**scalars, figures=values)


def encode_device(device: int) -> RecordDict:
    """Returns the records of a node that says which device it is."""
    return _records({"device": device}, {})


def decode_device(content: RecordDict) -> int | None:
    """Returns the number of the device that a node says it is, or None. Never raises."""
    scalars = _scalars(content, {"device": int})
    return scalars["device"] if scalars is not None and scalars["device"] >= 0 else None


def encode_notice(reason: LeftOut) -> RecordDict:
    """Returns the records that tell a node why it is left out."""
    return _records({"left out": str(reason)}, {})


def decode_notice(content: RecordDict) -> LeftOut | None:
    """Returns why the server leaves this node out, or None where it does not say so."""
    scalars = _scalars(content, {"left out": str})
    known = scalars is not None and scalars["left out"] in set(LeftOut)
    return LeftOut(scalars["left out"]) if scalars is not None and known else None


def _records(scalars: Scalars, vectors: Mapping[str, Vector]) -> RecordDict:
    content = RecordDict({SCALARS: ConfigRecord(scalars)})
    if vectors:
        arrays = ArrayRecord()
        for name, values in vectors.items():
            arrays[name] = encode_vector(values)
        content[VECTORS] = arrays
    return content


def _scalars(content: RecordDict, kinds: Mapping[str, type]) -> Scalars | None:
    """Returns the scalars of ``content`` where they are exactly ``kinds``, else None."""
    record = content.config_records.get(SCALARS)
    if record is None or set(record) != set(kinds):
        return None
    exact = all(type(record[name]) is kind for name, kind in kinds.items())
    return dict(record) if exact else None


def _declined(content: RecordDict) -> Declined | Malformed:
    scalars = _scalars(content, {**VISIT, "declined": str})
    if scalars is None or scalars["declined"] not in set(DeclineReason):
        return NOT_A_REPLY
    reason = DeclineReason(scalars["declined"])
    return Declined(round=scalars["round"], attempt=scalars["attempt"], reason=reason)
