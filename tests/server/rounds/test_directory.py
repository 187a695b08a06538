import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rounds.directory import RangeDirectory


@given(st.integers(0, 2**62), st.integers(1, 10**8), st.data())
def test_a_range_maps_there_and_back(first, devices, data):
    directory = RangeDirectory(first, devices)
    device = data.draw(st.integers(0, devices - 1))
    assert directory.devices == devices
    assert directory.device(directory.node(device)) == device


def test_nodes_outside_the_range_are_no_device():
    directory = RangeDirectory(1000, 3)
    assert [directory.device(node) for node in (999, 1000, 1002, 1003)] == [None, 0, 2, None]


def test_a_range_stores_nothing_for_its_devices():
    directory = RangeDirectory(0, 10**8)
    assert sum(map(sys.getsizeof, vars(directory).values())) < 100


def test_a_device_outside_the_population_has_no_node():
    with pytest.raises(IndexError):
        RangeDirectory(5, 2).node(2)
