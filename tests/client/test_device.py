import math
from dataclasses import replace

import numpy as np
import pytest

from client.device import NEW, DeviceState, accept, hold, visit
from protocol.messages import Declined, DeclineReason, Task, Update

DELTA = np.ones(3, np.float32)
HELD = DeviceState(participations=1, digest="abc")


def digest(frozen):
    return "abc" if frozen.sum() == 6 else "other"


def never():
    raise AssertionError("a device that declines must not train")


def trains():
    return DELTA


@pytest.fixture
def task(lab):
    return Task(
        round=4,
        attempt=1,
        parameters=np.zeros(3, np.float32),
        digest="abc",
        frozen=None,
        work=lab.work(max_participations=2),
    )


@pytest.fixture
def frozen():
    return np.array([1, 2, 3], np.float32)


def test_a_device_that_takes_part_sends_its_delta_and_counts_the_visit(task):
    reply, state = visit(task, HELD, digest=digest, train=trains)
    assert isinstance(reply, Update)
    assert (reply.round, reply.attempt) == (4, 1)
    assert reply.delta is DELTA
    assert state == DeviceState(participations=2, digest="abc")


def test_a_new_device_takes_the_frozen_part_whose_digest_matches(task, frozen):
    reply, state = visit(replace(task, frozen=frozen), NEW, digest=digest, train=trains)
    assert isinstance(reply, Update)
    assert state == DeviceState(participations=1, digest="abc")


def test_a_frozen_part_is_known_by_its_bytes_and_not_by_what_the_task_says(task, frozen):
    frozen[0] = 9
    for state in (NEW, HELD):
        forged = replace(task, frozen=frozen)
        reply, kept = visit(forged, state, digest=digest, train=never)
        assert reply == Declined(round=4, attempt=1, reason=DeclineReason.FROZEN_PART_DIFFERS)
        assert kept == state


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ("", DeclineReason.FROZEN_PART_MISSING),
        ("abd", DeclineReason.FROZEN_PART_DIFFERS),
    ],
)
def test_a_device_without_the_tasks_frozen_part_says_so(task, held, reason):
    state = DeviceState(participations=1, digest=held)
    reply, kept = visit(task, state, digest=digest, train=never)
    assert reply == Declined(round=4, attempt=1, reason=reason)
    assert kept == state


def test_a_device_takes_part_so_often_and_no_more(task):
    state, replies = replace(HELD, participations=0), []
    for _ in range(4):
        train = trains if len(replies) < 2 else never
        reply, state = visit(task, state, digest=digest, train=train)
        replies.append(reply)
    assert [type(reply) for reply in replies] == [Update, Update, Declined, Declined]
    assert replies[-1].reason == DeclineReason.PARTICIPATIONS_SPENT
    assert state.participations == 2


def test_without_a_limit_a_device_always_takes_part(lab, task):
    terms = lab.work(max_participations=0, clip=math.inf, private=False)
    state = replace(HELD, participations=10**6)
    counted = accept(replace(task, work=terms), state, digest=digest)
    assert counted == replace(state, participations=10**6 + 1)


def test_holding_the_frozen_part_is_no_participation(task, frozen):
    held = hold(replace(task, frozen=frozen), NEW, digest=digest)
    assert held == DeviceState(participations=0, digest="abc")
