"""One device that answers wrongly: refused with the reason, and for the others it never was."""

import dataclasses
import io
import logging
from types import SimpleNamespace

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Error, Message, MetricRecord, RecordDict
from flwr.common.serde import message_from_proto, message_to_proto
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privacy.mechanisms.base.unit_settings import Federation
from protocol.codec import DELTA, SCALARS, VECTORS, decode_task, encode_declined, encode_update
from protocol.messages import Declined, DeclineReason, RefusalReason, Update
from protocol.optimizers import Momentum
from server.charged_release import charged_release
from server.rounds.directory import RangeDirectory
from server.rounds.round_log import RoundLog
from server.rounds.strategy import RoundStrategy
from server.rounds.task_messages import RunTerms

DEVICES, FIRST, ROUNDS = 8, 100, 2
SERVERS = ("no noise", "gaussian", "adaptive")
NOT_A_REPLY, WRONG_TYPE = RefusalReason.NOT_A_REPLY, RefusalReason.WRONG_TYPE
WRONG_LENGTH, TOO_LARGE = RefusalReason.WRONG_LENGTH, RefusalReason.TOO_LARGE
WRONG_ROUND, NOT_FINITE = RefusalReason.WRONG_ROUND, RefusalReason.NOT_FINITE


def update(task, values=(0.5, 0, 0), **other):
    visit = {"round": task.round, "attempt": task.attempt} | other
    return encode_update(Update(delta=np.float32(values), **visit))


def honest(message):
    task = decode_task(message.content)
    number = message.metadata.dst_node_id - FIRST
    return Message(update(task, (number / 16, 1 / 16, 0)), reply_to=message)


def saved(values, **options):
    file = io.BytesIO()
    np.save(file, values, **options)
    return file.getvalue()


THREE = saved(np.ones(3, np.float32))


def content(change):
    """Answers with an honest update that was changed."""

    def answer(message):
        records = update(decode_task(message.content))
        change(records)
        return [Message(records, reply_to=message)]

    return answer


def scalars(**given):
    def change(records):
        records[SCALARS] = ConfigRecord({**records.config_records[SCALARS], **given})

    return content(change)


def array(given):
    return content(lambda records: records.array_records[VECTORS].__setitem__(DELTA, given))


def payload(data, *, dtype="float32", shape=(3,), stype="numpy.ndarray"):
    return array(Array(dtype, tuple(shape), stype, data))


def record(name, given):
    return content(lambda records: records.__setitem__(name, given))


def sends(values=(0.5, 0, 0), **other):
    def answer(message):
        task = decode_task(message.content)
        later = {name: getattr(task, name) + by for name, by in other.items()}
        return [Message(update(task, values, **later), reply_to=message)]

    return answer


def fails(message):
    return [Message(Error(2, "ValueError:<'IMG_1234.jpg'>"), reply_to=message)]


def declines_another_round(message):
    task = decode_task(message.content)
    reason = DeclineReason.PARTICIPATIONS_SPENT
    declined = Declined(round=task.round + 1, attempt=task.attempt, reason=reason)
    return [Message(encode_declined(declined), reply_to=message)]


def declines_loudly(message):
    loud = {"round": 1, "attempt": 0, "declined": "\x1b[2J\x07private photos"}
    return [Message(RecordDict({SCALARS: ConfigRecord(loud)}), reply_to=message)]


def answers_twice(message):
    return [honest(message), *sends((9, 9, 9))(message)]


def from_node(node):
    def answer(message):
        (reply,) = sends((9, 9, 9))(message)
        reply.metadata.__dict__["_src_node_id"] = node
        return [reply]

    return answer


MANY = {f"loss-\x00-{number}": 1.0 for number in range(2_000)}
HUGE_CLAIM = THREE[:128].replace(b"(3,), }", b"(1000000000000,), }")[:128]
BAD = {
    "an error": (fails, RefusalReason.DEVICE_FAILED),
    "no records": (lambda m: [Message(RecordDict(), reply_to=m)], NOT_A_REPLY),
    "no scalars": (content(lambda r: r.__delitem__(SCALARS)), NOT_A_REPLY),
    "no vector": (content(lambda r: r.__delitem__(VECTORS)), NOT_A_REPLY),
    "an empty record": (record(VECTORS, ArrayRecord()), NOT_A_REPLY),
    "scalars where the vector is due": (record(VECTORS, ConfigRecord({"x": 1})), NOT_A_REPLY),
    "another record of arrays": (record("more", ArrayRecord([np.ones(3)])), NOT_A_REPLY),
    "two thousand metrics": (record("metrics", MetricRecord(MANY)), NOT_A_REPLY),
    "control characters for a name": (record("\x1b[2J\x00", ConfigRecord()), NOT_A_REPLY),
    "a second vector": (
        content(lambda r: r.array_records[VECTORS].update(more=Array(np.ones(3)))),
        NOT_A_REPLY,
    ),
    "a vector by another name": (
        record(VECTORS, ArrayRecord({"grad": Array(np.ones(3, np.float32))})),
        NOT_A_REPLY,
    ),
    "a weight of zero": (scalars(weight=0.0), NOT_A_REPLY),
    "a negative weight": (scalars(weight=-15.0), NOT_A_REPLY),
    "a huge weight": (scalars(weight=1e30), NOT_A_REPLY),
    "a weight that is no number": (scalars(weight=float("nan")), NOT_A_REPLY),
    "another configuration's digest": (scalars(digest="0" * 64), NOT_A_REPLY),
    "a round in words": (scalars(round="1"), NOT_A_REPLY),
    "a round that is true": (scalars(round=True), NOT_A_REPLY),
    "a megabyte for a round": (scalars(round=bytes(1_000_000)), NOT_A_REPLY),
    "a reason of its own": (declines_loudly, NOT_A_REPLY),
    "a decline of another round": (declines_another_round, WRONG_ROUND),
    "float64": (array(Array(np.ones(1))), WRONG_TYPE),
    "float64 that says it is float32": (payload(saved(np.ones(1)), shape=(1,)), WRONG_TYPE),
    "whole numbers": (array(Array(np.ones(3, np.int32))), WRONG_TYPE),
    "text": (array(Array(np.array(["a"]))), WRONG_TYPE),
    "the other byte order": (array(Array(np.ones(3, ">f4"))), WRONG_TYPE),
    "a pickle": (payload(saved(np.array([1, "a"], object))[:140]), WRONG_TYPE),
    "a longer pickle": (payload(saved(np.array(["a" * 99], object))), TOO_LARGE),
    "a bare pickle": (payload(b"\x80\x04K\x01."), WRONG_TYPE),
    "bytes of another kind": (payload(THREE, stype="torch.Tensor"), WRONG_TYPE),
    "no bytes": (payload(b""), WRONG_TYPE),
    "bytes that end early": (payload(THREE[:-2]), WRONG_LENGTH),
    "a shape that lies": (payload(THREE, shape=(9,)), WRONG_LENGTH),
    "a terabyte that is only claimed": (payload(HUGE_CLAIM + bytes(12)), WRONG_LENGTH),
    "one number, which would broadcast": (sends([7]), WRONG_LENGTH),
    "no number": (sends([]), WRONG_LENGTH),
    "a matrix": (array(Array(np.ones((1, 3), np.float32))), WRONG_LENGTH),
    "a megabyte": (sends(np.ones(250_000)), TOO_LARGE),
    "not a number": (sends([0, np.nan, 0]), NOT_FINITE),
    "infinity": (sends([0, 0, -np.inf]), NOT_FINITE),
    "the end of float32": (sends([-3.4e38, -3.4e38, -3.4e38]), RefusalReason.NORM),
    "beyond any norm": (sends([2.0**63, 2.0**62, 0]), RefusalReason.NORM),
    "the round before": (sends(round=-1), WRONG_ROUND),
    "the round after": (sends(round=+1), WRONG_ROUND),
    "another attempt": (sends(attempt=+1), WRONG_ROUND),
    "a second answer": (answers_twice, RefusalReason.DUPLICATE),
    "a stranger's": (from_node(3), RefusalReason.UNKNOWN_SENDER),
    "an answer of a device that was not asked": (from_node(None), RefusalReason.UNKNOWN_SENDER),
}
HONEST_FIRST = {"a second answer"}


class Grid:
    """Honest devices, but the one asked first: it answers by ``bad``, or not at all.

    Like the grid of a simulation it knows who is who, so who sent a reply is what that says.
    """

    directory = RangeDirectory(FIRST, DEVICES)

    def __init__(self, bad, *, alone=lambda message: []):
        self._bad = bad or alone
        self.attempts = 0

    def send_and_receive(self, messages, *, timeout):
        first, *others = messages
        asked = {message.metadata.dst_node_id for message in messages}
        stranger = next(node for node in range(FIRST, FIRST + DEVICES + 1) if node not in asked)
        for reply in self._bad(first):
            self.attempts += 1
            if reply.metadata.src_node_id is None:
                reply.metadata.__dict__["_src_node_id"] = stranger
            yield over_the_wire(reply)
        yield from (honest(message) for message in others)


def over_the_wire(message):
    proto = message_to_proto(message)
    return message_from_proto(type(proto).FromString(proto.SerializeToString()))


@pytest.fixture(scope="module")
def mechanisms():
    from privacy.mechanisms.independent.adaptive_gaussian import AdaptiveSettings
    from privacy.mechanisms.independent.settings import GaussianSettings

    given = {"epsilon": None, "noise_multiplier": 1.0, "delta": 1e-3, "clip": 1.0}
    given |= {"clipping": "whole", "largest_cohort": None}
    given |= {"noise_cohort": None, "noise_population": None}
    return {
        "no noise": None,
        "gaussian": GaussianSettings(**given, numbers="float64"),
        "adaptive": AdaptiveSettings(**given, quantile=0.5, clip_lr=0.2, count_share=0.1),
    }


@pytest.fixture
def served(mechanisms, terms, settings, watcher, start):
    """Runs a server over a grid; returns the model and what became of each round."""
    chosen = dataclasses.replace(settings, cohort=6.0, optimizer=Momentum(lr=1.0, beta1=0.5))
    run_of = Federation(devices=DEVICES, rounds=ROUNDS, cohort=chosen.cohort)

    def served(server, grid):
        device = mechanisms[server]
        release = charged_release(
            None if device is None else device.protected(run_of),
            noise="insecure_seeded",
            layers=(3,),
            seed=1,
            folder="",
        )
        visit = dataclasses.replace(terms, clip=float("inf"), private=device is not None)
        strategy = RoundStrategy(
            chosen,
            RunTerms(visit=visit, largest_library=10, frozen=np.float32([7]), digest="d" * 64),
            seed=1,
            directory=RangeDirectory(FIRST, DEVICES),
            observer=watcher,
            release=release,
        )
        watcher.outcomes.clear()
        model = strategy.run(grid, start, rounds=ROUNDS)
        return SimpleNamespace(model=model, outcomes=list(watcher.outcomes))

    return served


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("case", BAD)
def test_a_bad_reply_is_refused_counted_and_moves_nothing(case, server, served):
    bad, reason = BAD[case]
    grid = Grid(bad)
    found = served(server, grid)
    alone = (lambda message: [honest(message)]) if case in HONEST_FIRST else (lambda _: [])
    without = served(server, Grid(None, alone=alone))

    assert found.model.tobytes() == without.model.tobytes()
    assert np.isfinite(found.model).all()
    assert len(found.outcomes) == ROUNDS
    assert grid.attempts == ROUNDS * (2 if case in HONEST_FIRST else 1)
    for one, other in zip(found.outcomes, without.outcomes, strict=True):
        assert one.refused == {reason: 1}
        assert (one.invited, one.admitted) == (other.invited, other.admitted)
        assert one.participants == other.participants
        stranger = reason is RefusalReason.UNKNOWN_SENDER
        answered = other.missing == 0 or stranger
        assert one.missing == (other.missing if answered else 0)


def test_thirty_kinds_at_least_are_tried():
    assert len(BAD) >= 30
    assert {reason for _, reason in BAD.values()} == set(RefusalReason)


def test_what_a_device_says_of_itself_is_in_no_line_of_the_log(served, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("flwr.darkroom").addHandler(caplog.handler)
    for case in ("an error", "a reason of its own", "control characters for a name"):
        for outcome in served("no noise", Grid(BAD[case][0])).outcomes:
            RoundLog(ROUNDS).closed(outcome)
    logging.getLogger("flwr.darkroom").removeHandler(caplog.handler)
    assert "1 refused" in caplog.text
    assert "IMG_1234" not in caplog.text
    assert "private photos" not in caplog.text
    assert "\x1b" not in caplog.text


def test_a_message_with_neither_content_nor_error_is_no_reply(served):
    def hollow(message):
        reply = honest(message)
        reply.__dict__["_content"] = None
        return [reply]

    class Unwired(Grid):
        def send_and_receive(self, messages, *, timeout):
            first, *others = messages
            return [*hollow(first), *map(honest, others)]

    found = served("no noise", Unwired(None))
    assert [outcome.refused for outcome in found.outcomes] == [
        {RefusalReason.NOT_A_REPLY: 1}
    ] * ROUNDS


def mutated(data, draws):
    """A few edits of some bytes: flips, cuts, repeats, numbers of their own."""
    for _ in range(int(draws.integers(1, 9))):
        at = int(draws.integers(len(data) + 1))
        much = int(draws.integers(1, 5))
        match int(draws.integers(5)):
            case 0:
                flip = bytes([data[at] ^ (1 << int(draws.integers(8)))]) if data[at:] else b""
                data = data[:at] + flip + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + much :]
            case 2:
                data = data[:at] + draws.bytes(much) + data[at:]
            case 3:
                data = data[:at] + draws.bytes(much) + data[at + much :]
            case _:
                odd = draws.choice([b"\x7f\x80\x00\x00", b"\xff\xff\x7f\xff", b"\x00" * 4])
                data = data[:at] + bytes(odd) + data[at + 4 :]
    return data


_without = {}


def without(server, served):
    """The model of the run in which the device was silent: it is the same for all."""
    if server not in _without:
        _without[server] = served(server, Grid(None)).model.tobytes()
    return _without[server]


def check_mutation(seed, served, *, server):
    draws = np.random.default_rng(seed)
    arrived = []

    def bad(message):
        whole = message_to_proto(honest(message))
        data = mutated(whole.content.SerializeToString(), draws)
        try:
            whole.content.ParseFromString(data)
            reply = message_from_proto(whole)
        except (DecodeError, ValueError, TypeError, KeyError, AttributeError):
            return []  # Flower itself cannot read it: it is no reply.
        arrived.append(reply)
        return [reply]

    class Mutating(Grid):
        def send_and_receive(self, messages, *, timeout):
            first, *others = messages
            return [*bad(first), *map(honest, others)]

    found = served(server, Mutating(None))
    assert len(found.outcomes) == ROUNDS
    assert np.isfinite(found.model).all()
    refused = sum(outcome.refused.total() for outcome in found.outcomes)
    came = sum(o.admitted + o.declined.total() for o in found.outcomes)
    others = sum(outcome.invited - 1 for outcome in found.outcomes)
    assert came + refused == others + len(arrived)
    if refused == len(arrived):
        assert found.model.tobytes() == without(server, served)


# A run begins anew with each example.
fuzzed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
draws_of = given(seed=st.integers(0, 2**32), server=st.sampled_from(SERVERS))


@settings(fuzzed, max_examples=100)
@draws_of
def test_no_mutation_of_a_serialised_reply_ends_or_poisons_a_run(seed, server, served):
    check_mutation(seed, served, server=server)


@pytest.mark.slow
@pytest.mark.exhaustive
@settings(fuzzed, max_examples=2_000)
@draws_of
def test_no_mutation_of_two_thousand_ends_or_poisons_a_run(seed, server, served):
    check_mutation(seed, served, server=server)
