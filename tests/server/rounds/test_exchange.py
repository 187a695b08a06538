"""Replies of nodes that send anything: each costs nobody but its sender."""

import json
import threading

import pytest
from flwr.app import ConfigRecord, Error, Message, MessageType, RecordDict
from flwr.common.constant import ErrorCode

from protocol.messages import RefusalReason
from server.rounds import exchange
from server.rounds.exchange import Exchange, answers


def asked(nodes):
    return [Message(RecordDict(), node, MessageType.TRAIN, group_id="3.0") for node in nodes]


def said(reply_to, word="hello"):
    return Message(RecordDict({"said": ConfigRecord({"word": word})}), reply_to=reply_to)


def found(grid, nodes, *, timeout=5.0):
    """What came of each node: the word it said, or why it is no answer."""
    return {
        one.node: one.content["said"]["word"]
        if isinstance(one.content, RecordDict)
        else one.content
        for one in answers(grid, asked(nodes), timeout=timeout)
    }


def changed(reply, **metadata):
    for name, value in metadata.items():
        reply.metadata.__dict__[f"_{name}"] = value
    return reply


def emptied(reply):
    """What Flower inflates of a message whose object has no children."""
    reply.__dict__["_content"] = None
    return reply


def parses_lies(message):
    """As Flower inflates an array whose body is ``{not json``."""
    json.loads("{not json")


def recurses(message):
    return recurses(message)


LIES = {
    "no array body": parses_lies,
    "too deep": recurses,
    "too large": lambda message: (_ for _ in ()).throw(MemoryError()),
    "no message": lambda message: "a text",
    "neither content nor error": lambda m: emptied(said(m)),
    "another sender": lambda m: changed(said(m), src_node_id=2),
    "a stranger": lambda m: changed(said(m), src_node_id=77),
    "another run": lambda m: changed(said(m), run_id=9),
    "another round": lambda m: changed(said(m), group_id="2.0"),
    "another message": lambda m: changed(said(m), reply_to_message_id="message-1"),
    "another recipient": lambda m: changed(said(m), dst_node_id=2),
    "another kind": lambda m: changed(said(m), message_type=MessageType.QUERY),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_reply_that_lies_is_refused_as_its_senders_and_the_others_count(lie, device_grid):
    def device(message):
        return lie(message) if message.metadata.dst_node_id == 1 else said(message)

    assert found(device_grid(device), [1, 2, 3]) == {
        1: RefusalReason.NOT_A_REPLY,
        2: "hello",
        3: "hello",
    }


def test_an_error_of_a_device_is_refused_and_one_of_the_link_is_nobodys_answer(device_grid):
    gone = {
        2: ErrorCode.NODE_UNAVAILABLE,
        3: ErrorCode.MESSAGE_UNAVAILABLE,
        4: ErrorCode.REPLY_MESSAGE_UNAVAILABLE,
    }

    def device(message):
        code = gone.get(message.metadata.dst_node_id, 100)
        return changed(Message(Error(code, "x"), reply_to=message), src_node_id=1)

    found_1 = found(device_grid(device), [1, 2, 3, 4])
    assert found_1 == {1: RefusalReason.DEVICE_FAILED}


def test_a_reply_that_never_comes_whole_holds_up_no_other(device_grid, monkeypatch):
    """A node announced it and keeps the rest; Flower waits for three minutes."""
    monkeypatch.setattr(exchange, "LOOK_SECONDS", 0.02)
    held = threading.Event()

    def device(message):
        if message.metadata.dst_node_id == 1:
            held.wait(20)
        return said(message)

    try:
        assert found(device_grid(device), [1, 2, 3], timeout=0.2) == {2: "hello", 3: "hello"}
    finally:
        held.set()


class Slow:
    """A link that has each reply at the third look, and takes no message to node 9."""

    def __init__(self):
        self.messages, self.looks = {}, {}

    def push_messages(self, messages):
        for message in messages:
            changed(message, message_id=f"to-{message.metadata.dst_node_id}")
            self.messages[message.metadata.message_id] = message
        return [one for one in self.messages if one != "to-9"]

    def pull_messages(self, ids):
        (one,) = ids
        self.looks[one] = self.looks.get(one, 0) + 1
        return [said(self.messages[one], word=one)] * 2 if self.looks[one] == 3 else []


def test_it_asks_until_all_have_answered_each_reply_alone_and_once():
    link = Slow()
    assert found(link, [5, 6]) == {5: "to-5", 6: "to-6"}
    assert link.looks == {"to-5": 3, "to-6": 3}


def test_what_the_link_does_not_take_is_not_waited_for():
    link = Slow()
    assert found(link, [5, 9], timeout=60.0) == {5: "to-5"}
    assert "to-9" not in link.looks


def test_nobody_is_asked_nothing(device_grid):
    assert found(device_grid(said), []) == {}


def test_whoever_is_waited_for_is_known(device_grid):
    under_way = Exchange(device_grid(said))
    under_way.send(asked([4, 5]))
    assert under_way.waiting == {4, 5}
    assert {one.node for one in under_way.arrived()} == {4, 5}
    assert not under_way.waiting
    under_way.close()
