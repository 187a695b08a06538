"""The places of the synthetic population."""

import numpy as np

from photos.synthetic.attributes import SCENES
from photos.synthetic.scenes import GROUND, NAMES, ROUGHNESS, SKY


def test_every_scene_has_a_name_two_colours_and_a_roughness():
    assert len(NAMES) == len(set(NAMES)) == SCENES == 8
    assert SKY.shape == GROUND.shape == (8, 3)
    assert ROUGHNESS.shape == (8,)


def test_colours_are_shares_of_white_and_no_two_scenes_look_alike():
    for colours in (SKY, GROUND):
        assert ((colours > 0) & (colours < 1)).all()
    both = np.concatenate([SKY, GROUND], axis=1)
    apart = np.abs(both[:, None] - both[None]).sum(-1) + np.eye(8)
    assert apart.min() > 0.3


def test_night_is_the_darkest_and_snow_the_brightest():
    light = (SKY + GROUND).mean(1)
    assert NAMES[int(light.argmin())] == "night"
    assert NAMES[int(light.argmax())] == "snow"


def test_a_rough_scene_still_keeps_its_light_positive():
    # Colours are multiplied by 1 + roughness × texture, whose spread is 1.
    assert ((ROUGHNESS > 0) & (ROUGHNESS < 0.5)).all()
