import math

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord, MetricRecord, RecordDict
from flwr.common.serde import recorddict_from_proto, recorddict_to_proto
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.arrays import encode_vector
from protocol.codec import (
    decode_device,
    decode_measured,
    decode_notice,
    decode_reply,
    decode_task,
    encode_declined,
    encode_device,
    encode_measured,
    encode_notice,
    encode_task,
    encode_update,
)
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
    VisitTerms,
)

NOT_A_REPLY = Malformed(RefusalReason.NOT_A_REPLY)
TERMS = VisitTerms(
    steps=4,
    rate=0.25,
    denominator=4.0,
    lr=0.5,
    clip=math.inf,
    noise_multiplier=0.0,
    max_participations=0,
    private=False,
)

bits = st.lists(st.integers(0, 2**32 - 1), max_size=40)
counts = st.integers(0, 2**62)
finite = st.floats(allow_nan=False, allow_infinity=False)
some_terms = st.builds(
    VisitTerms,
    steps=counts,
    rate=finite,
    denominator=finite,
    lr=finite,
    clip=st.floats(allow_nan=False),
    noise_multiplier=finite,
    max_participations=counts,
    private=st.booleans(),
    integers=st.booleans(),
)


def over_the_wire(content):
    proto = recorddict_to_proto(content)
    return recorddict_from_proto(type(proto).FromString(proto.SerializeToString()))


def vector(patterns):
    """Any float32 bit pattern there is: -0, denormals, infinities and NaNs with payloads."""
    return np.array(patterns, dtype=np.uint32).view(np.float32)


def ones(count):
    return np.ones(count, dtype=np.float32)


@settings(deadline=None, max_examples=60)
@given(
    parameters=bits, frozen=st.none() | bits, number=counts, attempt=counts, terms=some_terms
)
def test_a_task_crosses_flowers_wire_bit_for_bit(parameters, frozen, number, attempt, terms):
    task = Task(
        round=number,
        attempt=attempt,
        parameters=vector(parameters),
        digest="ab" * 32,
        frozen=None if frozen is None else vector(frozen),
        terms=terms,
    )
    arrived = decode_task(over_the_wire(encode_task(task)))
    assert (arrived.round, arrived.attempt, arrived.digest) == (number, attempt, "ab" * 32)
    assert arrived.terms == terms
    assert arrived.parameters.tobytes() == task.parameters.tobytes()
    assert arrived.parameters.dtype == np.float32
    if frozen is None:
        assert arrived.frozen is None
    else:
        assert arrived.frozen.tobytes() == task.frozen.tobytes()


@settings(deadline=None, max_examples=60)
@given(delta=bits, number=counts, attempt=counts)
def test_an_update_crosses_flowers_wire_bit_for_bit(delta, number, attempt):
    update = Update(round=number, attempt=attempt, delta=vector(delta))
    arrived = decode_reply(over_the_wire(encode_update(update)), size=len(delta))
    assert (arrived.round, arrived.attempt) == (number, attempt)
    assert arrived.delta.tobytes() == update.delta.tobytes()


@pytest.mark.parametrize("reason", DeclineReason)
def test_a_declined_task_crosses_flowers_wire(reason):
    declined = Declined(round=3, attempt=1, reason=reason)
    assert decode_reply(over_the_wire(encode_declined(declined)), size=5) == declined
    assert decode_measured(over_the_wire(encode_declined(declined))) == declined


def test_figures_cross_flowers_wire():
    measured = Measured(round=3, attempt=0, figures={"ndcg": 0.5, "loss": 1.25})
    assert decode_measured(over_the_wire(encode_measured(measured))) == measured


def test_a_device_number_crosses_flowers_wire():
    assert decode_device(over_the_wire(encode_device(7))) == 7


def test_an_update_is_one_vector_and_two_scalars_and_nothing_else():
    content = encode_update(Update(round=1, attempt=0, delta=ones(3)))
    assert set(content) == {"scalars", "vectors"}
    assert dict(content["scalars"]) == {"round": 1, "attempt": 0}
    assert set(content["vectors"]) == {"delta"}


def test_a_received_vector_is_a_read_only_view_of_the_payload():
    content = encode_update(Update(round=1, attempt=0, delta=ones(3)))
    update = decode_reply(content, size=3)
    assert not update.delta.flags.writeable
    assert not update.delta.flags.owndata


def with_scalars(**scalars):
    return RecordDict({"scalars": ConfigRecord(scalars)})


def with_arrays(arrays, **scalars):
    content = with_scalars(**scalars)
    content["vectors"] = ArrayRecord(arrays)
    return content


def with_record(name, record):
    content = encode_update(Update(round=1, attempt=0, delta=ones(3)))
    content[name] = record
    return content


DELTA = {"delta": encode_vector(ones(3))}


@pytest.mark.parametrize(
    "content",
    [
        RecordDict(),
        with_scalars(),
        with_scalars(round=1, attempt=0),
        with_scalars(round=1, attempt=0, declined="too lazy"),
        with_scalars(round=1, attempt=0, declined=["private run"]),
        with_scalars(round=1, attempt=0, declined="private run", photos=12),
        RecordDict({"vectors": ArrayRecord(DELTA)}),
        RecordDict({"scalars": MetricRecord({"round": 1}), "vectors": ArrayRecord(DELTA)}),
        with_arrays(DELTA, round=1),
        with_arrays(DELTA, round=True, attempt=0),
        with_arrays(DELTA, round=1.0, attempt=0),
        with_arrays(DELTA, round="1", attempt=0),
        with_arrays(DELTA, round=[1], attempt=0),
        with_arrays(DELTA, round=1, attempt=0, declined="private run"),
        with_arrays(DELTA, round=1, attempt=0, loss=0.3),
        with_arrays({}, round=1, attempt=0),
        with_arrays({"gradient": encode_vector(ones(3))}, round=1, attempt=0),
        with_arrays({**DELTA, "embedding": encode_vector(ones(3))}, round=1, attempt=0),
        with_record("metrics", MetricRecord({"loss": 0.5})),
        with_record("more", ConfigRecord({"a": 1})),
        with_record("vectors", ConfigRecord({"delta": b"1234"})),
    ],
)
def test_records_that_are_no_reply_are_refused_without_an_exception(content):
    assert decode_reply(content, size=3) == NOT_A_REPLY


def test_a_reply_with_another_number_of_parameters_is_refused():
    update = Update(round=1, attempt=0, delta=ones(3))
    longer, shorter = (decode_reply(encode_update(update), size=size) for size in (2, 4))
    assert longer == Malformed(RefusalReason.TOO_LARGE)
    assert shorter == Malformed(RefusalReason.WRONG_LENGTH)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"ndcg": float("nan")}, RefusalReason.NOT_FINITE),
        ({"ndcg": 1}, RefusalReason.WRONG_TYPE),
        ({"ndcg": [0.5]}, RefusalReason.WRONG_TYPE),
        ({str(i): 0.5 for i in range(MAX_METRICS + 1)}, RefusalReason.TOO_LARGE),
    ],
)
def test_figures_that_cannot_be_used_are_refused(figures, reason):
    content = with_scalars(round=1, attempt=0)
    content["figures"] = MetricRecord(figures)
    assert decode_measured(content) == Malformed(reason)


def test_an_update_is_no_answer_to_an_evaluation():
    update = Update(round=1, attempt=0, delta=ones(3))
    assert decode_measured(encode_update(update)) == NOT_A_REPLY


@pytest.mark.parametrize(
    "content",
    [
        RecordDict(),
        with_scalars(device=-1),
        with_scalars(device="3"),
        with_scalars(device=True),
    ],
)
def test_a_node_that_names_no_device_has_no_number(content):
    assert decode_device(content) is None


def task():
    return Task(
        round=1, attempt=0, parameters=ones(3), digest="ab", frozen=ones(2), terms=TERMS
    )


def without(name):
    content = encode_task(task())
    del content["scalars"][name]
    return content


def changed(**scalars):
    content = encode_task(task())
    content["scalars"].update(scalars)
    return content


def with_vector(name, values):
    content = encode_task(task())
    content["vectors"][name] = values
    return content


@pytest.mark.parametrize(
    "content",
    [
        RecordDict(),
        without("lr"),
        without("digest"),
        changed(private=1),
        changed(steps=4.0),
        changed(lr="0.5"),
        changed(surprise=1),
        with_vector("photos", encode_vector(ones(1))),
        RecordDict({"scalars": encode_task(task())["scalars"]}),
    ],
)
def test_a_device_refuses_what_is_no_task(content):
    with pytest.raises(ValueError, match="holds no task"):
        decode_task(content)


@pytest.mark.parametrize("reason", LeftOut)
def test_a_notice_says_why_a_node_is_left_out_by_a_known_word_only(reason):
    assert decode_notice(encode_notice(reason)) == reason
    assert decode_notice(RecordDict()) is None
    forged = encode_notice(reason)
    forged["scalars"]["left out"] = "\x1b[2J"
    assert decode_notice(forged) is None
