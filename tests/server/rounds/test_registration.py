import pytest
from flwr.app import ConfigRecord, Error, Message, MessageType, RecordDict

from protocol.codec import encode_device
from server.rounds import registration
from server.rounds.registration import queried_directory


def answers(numbers):
    """Devices by node; an exception stands for a device that fails."""

    def device(message):
        number = numbers[message.metadata.dst_node_id]
        if number is None:
            return None
        content = encode_device(number) if isinstance(number, int) else number
        return Message(content, reply_to=message)

    return device


def test_nodes_of_any_number_become_devices_in_order(device_grid):
    grid = device_grid(answers({91: 2, 17: 0, 55: 1}), [91, 17, 55])
    directory = queried_directory(grid, 3, timeout=1.0)
    assert [directory.node(device) for device in range(3)] == [17, 55, 91]
    assert {message.metadata.message_type for message in grid.sent} == {MessageType.QUERY}
    assert all(not message.content for message in grid.sent)


def test_held_out_devices_and_unusable_answers_are_left_out(device_grid):
    odd = [Error(2, "x"), RecordDict(), RecordDict({"scalars": ConfigRecord({"device": "0"})})]
    numbers = {1: 0, 2: 7, 3: 1} | {10 + i: answer for i, answer in enumerate(odd)}
    directory = queried_directory(device_grid(answers(numbers), numbers), 2, timeout=1.0)
    assert [directory.node(0), directory.node(1)] == [1, 3]
    assert directory.device(2) is None


def test_it_waits_until_enough_nodes_have_registered(device_grid, monkeypatch):
    grid = device_grid(answers({1: 0, 2: 1}), [1])
    monkeypatch.setattr(registration.time, "sleep", lambda seconds: grid.nodes.append(2))
    assert queried_directory(grid, 2, timeout=60.0).devices == 2


def test_too_few_nodes_end_the_wait_with_the_setting_to_change(device_grid):
    grid = device_grid(answers({1: 0}), [1])
    with pytest.raises(ValueError, match=r"only 1 of photos\.devices=2 .* server\.timeout=0 s"):
        queried_directory(grid, 2, timeout=0.0)


def test_a_device_that_does_not_answer_is_named(device_grid):
    grid = device_grid(answers({1: 0, 2: None}), [1, 2])
    with pytest.raises(ValueError, match=r"1 of photos\.devices=2 .* device 1"):
        queried_directory(grid, 2, timeout=1.0)


def test_two_nodes_that_are_the_same_device_are_a_mistake_in_the_set_up(device_grid):
    grid = device_grid(answers({1: 0, 2: 0, 3: 1}), [1, 2, 3])
    with pytest.raises(ValueError, match="same partition-id"):
        queried_directory(grid, 2, timeout=1.0)
