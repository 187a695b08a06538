import pytest

from client.consent.own_number import own_number
from protocol.rebuild import SettingError


def test_a_devices_own_number_goes_before_flowers():
    assert own_number({"device": 3, "partition-id": 1}) == 3
    assert own_number({"partition-id": 1, "num-partitions": 2}) == 1


@pytest.mark.parametrize("key", ["device", "partition-id"])
@pytest.mark.parametrize("value", [-1, 10**9, 1.0, "1", "", True])
def test_a_number_that_is_none_is_an_error_that_names_its_key(key, value):
    with pytest.raises(SettingError, match=rf"^node-config: {key}=.* whole number from 0"):
        own_number({key: value})


def test_a_node_without_a_number_is_told_which_key_it_lacks():
    with pytest.raises(SettingError, match=r"'device' is missing: give each SuperNode"):
        own_number({})
