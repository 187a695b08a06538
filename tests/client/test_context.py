"""What a device keeps between messages, in Flower's context."""

from dataclasses import replace

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord

from client import local_device
from client.app import app
from client.consent.agreement import NEW, DeviceState
from client.context import configuration, device_number, frozen_part, keep, state_of
from client.embeddings.lru_cache import LruCache
from protocol.codec import encode_task
from protocol.messages import Declined, DeclineReason, Task, Update


def test_the_frozen_part_is_kept_and_visits_are_counted_until_they_are_spent(libraries, node):
    own = node.context(0, node.config())
    task = node.task()
    assert isinstance(node.reply(task, own), Update)
    assert isinstance(node.reply(replace(task, round=2, frozen=None), own), Update)
    assert node.reply(replace(task, round=3, frozen=None), own) == Declined(
        round=3, attempt=0, reason=DeclineReason.PARTICIPATIONS_SPENT
    )
    assert own.state["device"]["participations"] == 2


def test_a_device_holds_the_very_array_that_it_received(libraries, node):
    own = node.context(0, node.config())
    content = encode_task(node.task())
    sent = content["vectors"]["frozen"]
    app(node.message(content, own), own)
    assert own.state["frozen"]["frozen"].data is sent.data


def test_a_device_that_starts_anew_uses_the_frozen_part_it_kept(libraries, node, monkeypatch):
    task = node.task()
    own, same = node.context(0, node.config()), node.context(0, node.config())
    node.reply(task, own)
    monkeypatch.setattr(local_device, "_models", LruCache(weigh=lambda _: 1))
    again = node.reply(replace(task, round=2, frozen=None), own)
    node.reply(task, same)
    assert np.array_equal(
        again.delta, node.reply(replace(task, round=2, frozen=None), same).delta
    )


def test_a_forged_frozen_part_is_refused_and_not_kept(libraries, node):
    task, own = node.task(), node.context(0, node.config())
    declined = node.reply(replace(task, frozen=task.frozen + 1), own)
    assert declined.reason == DeclineReason.FROZEN_PART_DIFFERS
    assert "frozen" not in own.state


def test_a_kept_state_that_is_damaged_is_an_error(libraries, node):
    own, task = node.context(0, node.config()), node.task()
    node.ask(task, own)
    own.state["device"]["participations"] = "0"
    assert node.ask(task, own).error.reason == "device failed"


HELD = DeviceState(participations=3, digest="abc", configuration="c0ffee")


@pytest.fixture
def own(node):
    return node.context(7, "the configuration")


def frozen_of(values, lab):
    """The content of a message with this frozen part."""
    task = Task(
        round=1,
        attempt=0,
        parameters=np.zeros(2, np.float32),
        digest="abc",
        frozen=None if values is None else np.float32(values),
        terms=lab.terms(),
    )
    return task, encode_task(task)


def test_what_a_node_is_started_with_is_read_from_its_context(own):
    assert configuration(own) == "the configuration"
    assert device_number(own) == 7


def test_a_device_that_kept_nothing_is_new_and_one_that_did_is_as_it_was(own, lab):
    assert state_of(own) == NEW
    keep(own, HELD, frozen_of([1, 2], lab)[1])
    assert state_of(own) == HELD


def test_a_frozen_part_is_kept_where_its_digest_is_new_and_only_there(own, lab):
    brief, _ = frozen_of(None, lab)
    keep(own, HELD, frozen_of([1, 2], lab)[1])
    assert frozen_part(brief, own).tolist() == [1, 2]
    keep(own, replace(HELD, participations=4), frozen_of([3, 4], lab)[1])
    assert frozen_part(brief, own).tolist() == [1, 2]
    keep(own, replace(HELD, digest="def"), frozen_of([3, 4], lab)[1])
    assert frozen_part(brief, own).tolist() == [3, 4]


def test_the_frozen_part_of_the_task_goes_before_the_one_that_was_kept(own, lab):
    keep(own, HELD, frozen_of([1, 2], lab)[1])
    task, _ = frozen_of([5, 6], lab)
    assert frozen_part(task, own) is task.frozen


SOUND = {"participations": 3, "digest": "abc", "configuration": "c0ffee"}


@pytest.mark.parametrize(
    "kept",
    [
        SOUND | {"participations": "3"},
        SOUND | {"participations": 3.0},
        SOUND | {"participations": True},
        SOUND | {"digest": 3},
        SOUND | {"more": 1},
        {"participations": 3},
        {},
    ],
)
def test_a_state_of_other_fields_or_types_is_damaged(own, kept):
    own.state["device"] = ConfigRecord(kept)
    with pytest.raises(ValueError, match="state that the device kept is damaged"):
        state_of(own)


def test_a_frozen_part_that_is_no_vector_is_damaged(own, lab):
    own.state["frozen"] = ArrayRecord({"frozen": Array(np.zeros((2, 2), np.float32))})
    with pytest.raises(ValueError, match="frozen part that the device kept is damaged"):
        frozen_part(frozen_of(None, lab)[0], own)
