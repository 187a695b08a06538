"""Which devices there are when a run begins, and what one node can do to that: nothing."""

import logging

import pytest
from flwr.app import ConfigRecord, Error, Message, MessageType, RecordDict

from protocol.codec import encode_device
from server.rounds import registration
from server.rounds.registration import queried_directory


def answers(numbers):
    """Devices by node; None for one that is silent, an error or records for what it sends."""

    def device(message):
        number = numbers[message.metadata.dst_node_id]
        if number is None:
            return None
        content = encode_device(number) if isinstance(number, int) else number
        return Message(content, reply_to=message)

    return device


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands but for the pauses between two looks; ``then`` happens in them."""

    class Clock:
        now = 0.0
        then = staticmethod(lambda: None)

        def sleep(self, seconds):
            self.now += seconds
            self.then()

    made = Clock()
    monkeypatch.setattr(registration.time, "monotonic", lambda: made.now)
    monkeypatch.setattr(registration.time, "sleep", made.sleep)
    return made


def devices_of(directory):
    return [directory.node(device) for device in range(directory.devices)]


def test_nodes_of_any_number_become_devices_in_order(device_grid):
    grid = device_grid(answers({91: 2, 17: 0, 55: 1}), [91, 17, 55])
    directory = queried_directory(grid, 3, timeout=1.0)
    assert devices_of(directory) == [17, 55, 91]
    assert {message.metadata.message_type for message in grid.sent} == {MessageType.QUERY}
    assert all(not message.content for message in grid.sent)


def test_held_out_devices_and_unusable_answers_are_left_out(device_grid):
    odd = [Error(2, "x"), RecordDict(), RecordDict({"scalars": ConfigRecord({"device": "0"})})]
    numbers = {1: 0, 2: 7, 3: 1} | {10 + i: answer for i, answer in enumerate(odd)}
    directory = queried_directory(device_grid(answers(numbers), numbers), 2, timeout=1.0)
    assert devices_of(directory) == [1, 3]
    assert directory.device(2) is None


def test_it_waits_until_enough_nodes_have_registered(device_grid, clock):
    grid = device_grid(answers({1: 0, 2: 1}), [1])
    clock.then = lambda: grid.nodes.append(2)
    assert queried_directory(grid, 2, timeout=60.0).present == 2
    assert 0 < clock.now < 1


def test_too_few_devices_end_the_wait_with_what_to_change(device_grid):
    grid = device_grid(answers({1: 0}), [1])
    with pytest.raises(
        ValueError, match=r"only 1 of photos\.devices=2 .* server\.timeout=0 s.* quorum in"
    ):
        queried_directory(grid, 2, timeout=0.0)


def test_a_device_that_does_not_answer_is_named(device_grid):
    grid = device_grid(answers({1: 0, 2: None}), [1, 2])
    with pytest.raises(ValueError, match=r"1 of photos\.devices=2 .* device 1"):
        queried_directory(grid, 2, timeout=0.0)


def test_a_run_begins_with_its_quorum_as_soon_as_it_is_there(device_grid, clock, caplog):
    logging.getLogger("flwr.darkroom").addHandler(caplog.handler)
    grid = device_grid(answers({1: 0, 2: None, 3: None}), [1, 2, 3])
    directory = queried_directory(grid, 3, timeout=600.0, quorum=1)
    logging.getLogger("flwr.darkroom").removeHandler(caplog.handler)
    assert (devices_of(directory), clock.now) == ([1, None, None], 0)
    assert "begins with 1 of photos.devices=3 devices" in caplog.text


def test_without_a_quorum_a_silent_node_delays_a_run_and_cannot_prevent_it(device_grid, clock):
    grid = device_grid(answers({1: 0, 2: None, 3: 2}), [1, 2, 3])
    assert devices_of(queried_directory(grid, 3, timeout=20.0)) == [1, None, 3]
    assert 20 <= clock.now < 21


def test_a_node_that_answers_nonsense_does_not_even_delay_it(device_grid, clock):
    grid = device_grid(answers({1: 0, 2: RecordDict(), 3: 2}), [1, 2, 3])
    assert devices_of(queried_directory(grid, 3, timeout=600.0)) == [1, None, 3]
    assert clock.now == 0


def test_of_two_nodes_that_say_they_are_one_device_neither_takes_part(device_grid, clock):
    grid = device_grid(answers({1: 0, 2: 0, 3: 1, 4: 2}), [1, 2, 3, 4])
    assert devices_of(queried_directory(grid, 3, timeout=9.0)) == [None, 3, 4]


def test_where_too_few_are_left_for_that_the_sentence_says_so(device_grid):
    grid = device_grid(answers({1: 0, 2: 0, 3: 1}), [1, 2, 3])
    with pytest.raises(ValueError, match=r"same partition-id or device, 0: give each"):
        queried_directory(grid, 2, timeout=0.0)
