"""The photographs of which the sample is made."""

from dataclasses import replace

import pytest

from photos.sample.source_pictures import (
    GALAXIES,
    MORE_PICTURES,
    PICTURES,
    TRAINING,
    attribution,
    open_picture,
)

ALL = (*PICTURES, *MORE_PICTURES, GALAXIES)


@pytest.mark.parametrize("picture", ALL, ids=lambda one: one.name)
def test_every_source_picture_is_a_photograph_of_300_pixels_or_more(picture):
    assert min(open_picture(picture).size) >= 300


def test_every_picture_is_credited_in_a_line_of_its_own():
    lines = attribution(ALL).splitlines()
    for picture in ALL:
        (line,) = (one for one in lines if one.startswith(f"{picture.name}: "))
        assert picture.credit in line
        assert picture.licence in line
        assert line.endswith(f"({picture.package}/{picture.file})")


def test_training_and_held_out_devices_have_pictures_of_their_own():
    shown = [{one.name for one in ALL if one.held_out is held} for held in (False, True)]
    assert [len(names) for names in shown] == [8, 4]
    assert not shown[0] & shown[1]
    assert {one.name for one in TRAINING} == shown[0]


def test_a_file_that_is_not_installed_is_named_with_the_way_out():
    with pytest.raises(ValueError, match=r"needs no/such\.png of the package skimage"):
        open_picture(replace(PICTURES[0], file="no/such.png"))
