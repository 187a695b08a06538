"""What each device of a cohort is sent."""

import numpy as np
import pytest
from flwr.app import MessageType

from protocol.codec import decode_task
from protocol.messages import Declined, DeclineReason, RefusalReason
from server.rounds.admission import Admitted, Refused
from server.rounds.directory import RangeDirectory
from server.rounds.task_messages import RunTerms, TaskMessages

DEVICES, FIRST = 8, 100
ADMITTED = Admitted(np.zeros(3, np.float32))


@pytest.fixture
def invitations(terms):
    asked = RunTerms(
        visit=terms, largest_library=10, frozen=np.float32([7, 8]), digest="d" * 64
    )
    return TaskMessages(asked, RangeDirectory(FIRST, DEVICES), lifetime=60.0)


def declined(reason):
    return Declined(round=1, attempt=0, reason=reason)


def with_frozen(messages):
    """The devices that are sent the frozen part."""
    return [
        message.metadata.dst_node_id - FIRST
        for message in messages
        if decode_task(message.content).frozen is not None
    ]


def test_each_device_is_sent_the_task_of_the_round_in_order(invitations, terms):
    messages = invitations.messages(3, np.float32([1, 2, 3]), [5, 0, 2])
    assert [one.metadata.dst_node_id for one in messages] == [105, 100, 102]
    for message in messages:
        task = decode_task(message.content)
        assert (task.round, task.attempt, task.digest) == (3, 0, "d" * 64)
        assert task.parameters.tolist() == [1, 2, 3]
        assert task.frozen.tolist() == [7, 8]
        assert task.terms == terms


def test_nobody_is_sent_nothing(invitations, start):
    assert invitations.messages(1, start, []) == []


def test_the_frozen_part_is_sent_until_a_device_has_shown_that_it_holds_it(invitations, start):
    everyone = range(DEVICES)
    first = invitations.messages(1, start, everyone)
    for device in everyone[1:]:
        invitations.heard(ADMITTED, device=device)
    second = invitations.messages(2, start, everyone)
    invitations.heard(ADMITTED, device=0)
    invitations.heard(declined(DeclineReason.FROZEN_PART_MISSING), device=1)
    third = invitations.messages(3, start, everyone)
    assert [with_frozen(one) for one in (first, second, third)] == [
        *([0, 1, 2, 3, 4, 5, 6, 7], [0], [1])
    ]


@pytest.mark.parametrize("reason", DeclineReason)
def test_a_device_that_declines_is_sent_it_again_only_where_it_says_that_it_lacks_it(
    invitations, start, reason
):
    invitations.heard(ADMITTED, device=3)
    invitations.heard(declined(reason), device=3)
    lacks = {DeclineReason.FROZEN_PART_MISSING, DeclineReason.FROZEN_PART_DIFFERS}
    assert with_frozen(invitations.messages(2, start, [3])) == ([3] if reason in lacks else [])


def test_a_refused_reply_and_one_of_a_stranger_show_nothing(invitations, start):
    invitations.heard(Refused(RefusalReason.NORM), device=3)
    invitations.heard(ADMITTED, device=None)
    assert with_frozen(invitations.messages(2, start, range(DEVICES))) == [*range(DEVICES)]
    invitations.heard(ADMITTED, device=3)
    invitations.heard(Refused(RefusalReason.NORM), device=3)
    assert with_frozen(invitations.messages(3, start, [3])) == []


def test_every_message_has_its_own_records_and_shares_the_bytes(invitations, start):
    first, second = invitations.messages(1, start, [0, 1])
    for name in first.content:
        assert first.content[name] is not second.content[name]
    arrays, others = (m.content.array_records.values() for m in (first, second))
    for mine, theirs in zip(arrays, others, strict=True):
        assert all(mine[key].data is theirs[key].data for key in mine)


def test_a_device_that_changes_its_records_changes_nobody_elses(invitations, start):
    first, second = invitations.messages(1, start, [0, 1])
    for name in list(first.content):
        first.content[name].clear()
    assert decode_task(second.content).parameters.tolist() == start.tolist()
    (again,) = invitations.messages(2, start, [0])
    assert decode_task(again.content).frozen.tolist() == [7, 8]


def test_messages_live_as_long_as_the_round(invitations, start):
    messages = invitations.messages(1, start, [0, 1])
    assert {m.metadata.ttl for m in messages} == {60.0}
    assert {m.metadata.message_type for m in messages} == {MessageType.TRAIN}
    assert {m.metadata.group_id for m in messages} == {"1.0"}
