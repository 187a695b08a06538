import io

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from protocol.codec import decode_reply, encode_declined, encode_update
from protocol.messages import Declined, DeclineReason, Malformed, RefusalReason, Update
from server.rounds.admission import Admitted, Expected, Refused, admit

EXPECTED = Expected(round=3, attempt=1, size=3, norm=10.0, cohort=range(5))


def update(values=(1, 2, 3), *, number=3, attempt=1):
    return encode_update(Update(round=number, attempt=attempt, delta=np.float32(values)))


def with_array(array):
    content = update()
    (name,) = content.array_records
    (key,) = content.array_records[name]
    content.array_records[name][key] = array
    return content


def saved(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def claimed(data, *, dtype="float32", shape=(3,), stype="numpy.ndarray"):
    return with_array(Array(dtype, tuple(shape), stype, data))


def with_scalar(**scalars):
    content = update()
    (name,) = content.config_records
    content.config_records[name] = ConfigRecord({**content.config_records[name], **scalars})
    return content


def also(name, record):
    content = update()
    content[name] = record
    return content


def verdict(content, *, sender=2, answered=(), expected=EXPECTED):
    reply = decode_reply(content, size=expected.size)
    return admit(reply, sender=sender, answered=answered, expected=expected)


def header_of(values):
    return saved(np.float32(values))[:128]


BAD = {
    "one value is not a number": (update([1, np.nan, 3]), RefusalReason.NOT_FINITE),
    "one value is infinite": (update([np.inf, 2, 3]), RefusalReason.NOT_FINITE),
    "huge values": (update([1e30, 1e30, 1e30]), RefusalReason.NORM),
    "values whose squares overflow": (update([3e38, 0, 0]), RefusalReason.NORM),
    "just above the bound": (update([10.001, 0, 0]), RefusalReason.NORM),
    "one number that would broadcast": (update([1]), RefusalReason.WRONG_LENGTH),
    "one number too few": (update([1, 2]), RefusalReason.WRONG_LENGTH),
    "no number at all": (update([]), RefusalReason.WRONG_LENGTH),
    "a matrix": (with_array(Array(np.ones((1, 3), np.float32))), RefusalReason.WRONG_LENGTH),
    "float64": (with_array(Array(np.ones(3))), None),
    "float64 of as many bytes": (with_array(Array(np.ones(1))), None),
    "int32": (with_array(Array(np.ones(3, np.int32))), RefusalReason.WRONG_TYPE),
    "strings": (with_array(Array(np.array(["a"]))), RefusalReason.WRONG_TYPE),
    "big-endian": (with_array(Array(np.ones(3, ">f4"))), RefusalReason.WRONG_TYPE),
    "float32 claimed, float64 inside": (claimed(saved(np.ones(3))), None),
    "an array that is not NumPy's": (
        claimed(saved(np.ones(3, np.float32)), stype="torch"),
        RefusalReason.WRONG_TYPE,
    ),
    "bytes that are no array": (claimed(b"hello"), RefusalReason.WRONG_TYPE),
    "no bytes": (claimed(b""), RefusalReason.WRONG_TYPE),
    "a truncated array": (
        claimed(saved(np.ones(3, np.float32))[:-2]),
        RefusalReason.WRONG_LENGTH,
    ),
    "a header that promises more than there is": (
        claimed(header_of(np.ones(3)).replace(b"(3,)", b"(9,)") + bytes(12)),
        RefusalReason.WRONG_LENGTH,
    ),
    "far too many bytes": (update(np.ones(100_000)), RefusalReason.TOO_LARGE),
    "the round before": (update(number=2), RefusalReason.WRONG_ROUND),
    "the round after": (update(number=4), RefusalReason.WRONG_ROUND),
    "the attempt before": (update(attempt=0), RefusalReason.WRONG_ROUND),
    "a decline of another round": (
        encode_declined(
            Declined(round=2, attempt=1, reason=DeclineReason.PARTICIPATIONS_SPENT)
        ),
        RefusalReason.WRONG_ROUND,
    ),
    "a decline for a reason of its own": (
        with_scalar(declined="my photos are private"),
        RefusalReason.NOT_A_REPLY,
    ),
    "a weight of its own": (with_scalar(weight=1e12), RefusalReason.NOT_A_REPLY),
    "a round that is text": (with_scalar(round="3"), RefusalReason.NOT_A_REPLY),
    "a round that is true": (with_scalar(round=True), RefusalReason.NOT_A_REPLY),
    "an extra array": (
        also("more", ArrayRecord([np.ones(3, np.float32)])),
        RefusalReason.NOT_A_REPLY,
    ),
    "metrics beside the update": (
        also("metrics", MetricRecord({f"loss-é-{i}": 1.0 for i in range(1000)})),
        RefusalReason.NOT_A_REPLY,
    ),
    "nothing": (RecordDict(), RefusalReason.NOT_A_REPLY),
}


@pytest.mark.parametrize(("content", "reason"), BAD.values(), ids=BAD)
def test_a_bad_reply_is_refused_with_its_reason(content, reason):
    judged = verdict(content)
    assert isinstance(judged, Refused)
    if reason is not None:
        assert judged.reason is reason
    else:
        assert judged.reason in (RefusalReason.TOO_LARGE, RefusalReason.WRONG_TYPE)


@pytest.mark.parametrize("values", [(0, 0, 0), (-0.0, 1e-45, 1), (10, 0, 0), (6, 0, -8)])
def test_zeros_denormals_and_the_bound_itself_are_admitted(values):
    judged = verdict(update(values))
    assert isinstance(judged, Admitted)
    assert judged.delta.tolist() == np.float32(values).tolist()


@pytest.mark.parametrize("sender", [None, 5, -1])
def test_a_sender_outside_the_cohort_is_unknown_whatever_it_sends(sender):
    assert verdict(update(), sender=sender) == Refused(RefusalReason.UNKNOWN_SENDER)
    assert verdict(RecordDict(), sender=sender) == Refused(RefusalReason.UNKNOWN_SENDER)


def test_a_second_answer_is_a_duplicate_even_after_a_refused_first():
    assert verdict(update(), answered={2}) == Refused(RefusalReason.DUPLICATE)


def test_a_failed_device_is_refused_as_failed():
    judged = admit(
        Malformed(RefusalReason.DEVICE_FAILED), sender=1, answered=(), expected=EXPECTED
    )
    assert judged == Refused(RefusalReason.DEVICE_FAILED)


def test_a_decline_of_this_round_is_passed_on():
    declined = Declined(round=3, attempt=1, reason=DeclineReason.FROZEN_PART_MISSING)
    assert verdict(encode_declined(declined)) == declined


def test_an_infinite_bound_still_refuses_what_is_not_finite():
    expected = Expected(round=3, attempt=1, size=3, norm=float("inf"), cohort=range(5))
    assert isinstance(verdict(update([3e38, 0, 0]), expected=expected), Admitted)
    refused = verdict(update([np.inf, 0, 0]), expected=expected)
    assert refused == Refused(RefusalReason.NOT_FINITE)


@settings(deadline=None, max_examples=100)
@given(arrays(np.float32, st.integers(0, 5), elements=st.floats(width=32)))
def test_whatever_is_admitted_is_usable(values):
    judged = verdict(update(values))
    if isinstance(judged, Admitted):
        assert judged.delta.shape == (3,)
        assert np.isfinite(judged.delta).all()
        assert np.linalg.norm(judged.delta.astype(float)) <= 10
    else:
        assert isinstance(judged, Refused)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300), st.integers(0, 140))
def test_no_bytes_whatsoever_make_admission_raise(noise, position):
    honest = saved(np.ones(3, np.float32))
    damaged = honest[:position] + noise + honest[position + len(noise) :]
    assert isinstance(verdict(claimed(damaged)), Admitted | Refused)
