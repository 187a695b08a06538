"""Which people train and which are held out."""

import pytest

from photos.sets.devices import of_one_list, of_two_lists

NAMES = ("c", "a", "e", "b", "d")


@pytest.fixture
def made(settings, tmp_path):
    return lambda **changes: settings("para", tmp_path, **changes)


def test_of_one_list_the_front_trains_and_the_back_is_held_out(made):
    found = of_one_list(made(held_out_devices=2), NAMES)
    assert (found.training, found.held_out) == (("a", "b", "c"), ("d", "e"))
    assert [found.name(device) for device in range(5)] == list("abcde")
    fewer = of_one_list(made(held_out_devices=2, devices=1), NAMES)
    assert (fewer.training, fewer.held_out) == (("a",), ("d", "e"))


def test_of_two_lists_each_is_numbered_from_its_front(made):
    found = of_two_lists(made(devices=2), NAMES, ("z", "y"))
    assert (found.training, found.held_out) == (("a", "b"), ("y",))


@pytest.mark.parametrize(
    "changes", [{"devices": 5}, {"held_out_devices": 5}, {"held_out_devices": 9}]
)
def test_too_few_people_are_told_with_both_settings(made, changes):
    with pytest.raises(ValueError, match=r"^photos\.devices=.*held_out.* lower either"):
        of_one_list(made(**changes), NAMES)
