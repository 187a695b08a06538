"""A node is one device and a device one node, whatever nodes say and whenever they come."""

from collections import Counter

import pytest
from flwr.app import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codec import decode_notice, encode_device
from protocol.messages import LeftOut
from server.rounds.growing_directory import GrowingDirectory
from simulations.federation.flower_internals import identify


class Nodes:
    """What each node says when it is asked, and how often it was."""

    def __init__(self, says):
        self.says = dict(says)
        self.asked = Counter()

    def __call__(self, message):
        node = message.metadata.dst_node_id
        if decode_notice(message.content) is not None:
            return None
        self.asked[node] += 1
        number, *as_node = self.says[node]
        reply = Message(encode_device(number), reply_to=message)
        if as_node:
            reply.metadata.__dict__["_src_node_id"] = as_node[0]
        return reply


@pytest.fixture
def make(device_grid):
    """A directory of three devices, and its nodes; those listed are online."""

    def made(says, online=None):
        nodes = Nodes(
            {node: one if isinstance(one, tuple) else (one,) for node, one in says.items()}
        )
        grid = device_grid(nodes, list(says) if online is None else online)
        return GrowingDirectory(grid, 3, timeout=5.0), nodes, grid

    return made


def settled(directory):
    """The nodes of all devices after the nodes that are there have answered."""
    directory.look()
    return [directory.node(device) for device in range(3)]


def told(grid):
    """The reasons that were sent, by node."""
    said = {m.metadata.dst_node_id: decode_notice(m.content) for m in grid.sent}
    return {node: reason for node, reason in said.items() if reason is not None}


def test_devices_that_come_later_take_part_from_then_on_and_are_asked_once(make):
    directory, nodes, grid = make({10: 0, 11: 1, 12: 2}, online=[11])
    assert settled(directory) == [None, 11, None]
    grid.nodes += [10]
    assert settled(directory) == [10, 11, None]
    grid.nodes += [12]
    assert settled(directory) == settled(directory) == [10, 11, 12]
    assert directory.present == 3
    assert nodes.asked == {10: 1, 11: 1, 12: 1}


def test_an_answer_in_anothers_name_makes_nobody_a_device_twice(make):
    """Node 11 says that node 10 is device 2 also: it would be asked at twice the rate."""
    directory, _, grid = make({10: 0, 11: (2, 10)})
    assert settled(directory) == [10, None, None]
    assert directory.device(11) is None
    assert told(grid) == {11: LeftOut.NO_NUMBER}


def test_two_nodes_that_say_the_same_together_are_both_left_out_and_told(make):
    directory, _, grid = make({10: 0, 11: 1, 12: 1})
    assert settled(directory) == [10, None, None]
    assert told(grid) == {11: LeftOut.NUMBER_TAKEN, 12: LeftOut.NUMBER_TAKEN}


def test_a_number_that_is_held_stays_with_its_node(make):
    directory, _, grid = make({10: 0, 11: 0}, online=[10])
    assert settled(directory)[0] == 10
    grid.nodes += [11]
    assert settled(directory)[0] == 10
    assert told(grid) == {11: LeftOut.NUMBER_TAKEN}


def test_a_number_whose_node_has_gone_can_be_taken_and_is_then_anothers(make):
    """A node that restarts without a key of its own has another id."""
    directory, _, grid = make({10: 0, 11: 0}, online=[10])
    assert settled(directory)[0] == 10
    grid.nodes[:] = [11]
    assert settled(directory)[0] == 11
    assert directory.device(10) is None
    grid.nodes[:] = [10, 11]
    assert settled(directory)[0] == 11
    assert told(grid) == {10: LeftOut.NUMBER_TAKEN}


def test_a_node_that_is_away_for_a_while_keeps_its_number(make):
    directory, nodes, grid = make({10: 0}, online=[10])
    assert settled(directory)[0] == 10
    grid.nodes[:] = []
    assert settled(directory)[0] == 10
    grid.nodes[:] = [10]
    assert settled(directory)[0] == 10
    assert nodes.asked == {10: 1}


def test_a_node_that_was_left_out_is_asked_again_when_it_was_away(make):
    """So an operator who mends the number and starts it again has it in the same run."""
    directory, nodes, grid = make({10: 0, 11: 9}, online=[10, 11])
    assert settled(directory) == [10, None, None]
    assert told(grid) == {11: LeftOut.NO_SUCH_DEVICE}
    settled(directory)
    assert nodes.asked[11] == 1
    grid.nodes[:] = [10]
    settled(directory)
    nodes.says[11] = (1,)
    grid.nodes[:] = [10, 11]
    assert settled(directory) == [10, 11, None]


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(0, 5), st.integers(0, 4)), st.sets(st.integers(0, 5))
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=50, deadline=None)
def test_whoever_comes_goes_and_says_what_a_node_is_one_device_and_a_device_one_node(turns):
    class Grid:
        def __init__(self):
            self.nodes = set()

        def get_node_ids(self):
            return self.nodes

        def push_messages(self, messages):
            return []

        def pull_messages(self, ids):
            return []

    identify(1)
    grid = Grid()
    directory = GrowingDirectory(grid, 3, timeout=1.0)
    for said, online in turns:
        grid.nodes = online
        before = {device: directory.node(device) for device in range(3)}
        directory.hear()
        directory.settle({node: number for node, number in said.items() if node in online})
        held = {device: directory.node(device) for device in range(3)}
        nodes = [node for node in held.values() if node is not None]
        assert len(nodes) == len(set(nodes)) == directory.present
        assert {directory.device(node) for node in nodes} == {
            device for device, node in held.items() if node is not None
        }
        for device, node in before.items():
            if node is not None and node in online:
                assert held[device] == node
