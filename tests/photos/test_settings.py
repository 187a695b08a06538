"""What a photo source need not say of itself."""

from dataclasses import dataclass, replace
from typing import Literal

import pytest

from photos.settings import Photos


@dataclass(frozen=True, kw_only=True, slots=True)
class Attic(Photos):
    """A source that says nothing of itself but its name."""

    source: Literal["attic"] = "attic"
    boxes: int


ATTIC = Attic(devices=5, held_out_devices=2, held_out_share=0.25, side=32, boxes=7)


def test_a_population_is_the_one_of_all_its_settings_and_the_seed():
    assert ATTIC.identity(seed=3) == {
        "photos.source": "attic",
        "photos.devices": 5,
        "photos.held_out_devices": 2,
        "photos.held_out_share": 0.25,
        "photos.side": 32,
        "photos.boxes": 7,
        "seed": 3,
    }


@pytest.mark.parametrize("change", [{"boxes": 8}, {"side": 16}, {"devices": None}])
def test_another_setting_is_another_population(change):
    assert replace(ATTIC, **change).identity(seed=3) != ATTIC.identity(seed=3)


def test_libraries_may_change_until_a_source_says_that_they_do_not():
    assert not ATTIC.made


def test_nothing_is_wrong_and_no_path_is_to_be_made_absolute():
    assert ATTIC.flaw() == ""
    assert ATTIC.absolute() == ATTIC
