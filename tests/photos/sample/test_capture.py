"""What a capture shows of a scene, worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from photos.sample.capture import Capture, take

PLAIN = Capture(
    across=0.5,
    down=0.5,
    frame=1.0,
    tilt=0.0,
    exposure=0.0,
    warmth=0.0,
    colour=1.0,
    blur=0.0,
    noise=0.0,
)
RNG = np.random.default_rng


def _scene() -> Image.Image:
    pixels = np.full((64, 64, 3), 128, dtype=np.uint8)
    pixels[:, :32] = (100, 120, 140)
    return Image.fromarray(pixels)


def _taken(**changes: float) -> np.ndarray:
    return take(_scene(), replace(PLAIN, **changes), side=64, rng=RNG(0)).astype(int)


def test_a_plain_capture_of_the_whole_scene_is_the_scene():
    assert np.abs(_taken() - np.asarray(_scene())).max() <= 1


def test_a_stop_doubles_the_light():
    assert _taken(exposure=1.0)[0, 60, 0] == round(128 * 2 ** (1 / 2.2))
    assert _taken(exposure=-1.0)[0, 60, 0] == round(128 * 0.5 ** (1 / 2.2))


def test_warmth_moves_red_and_blue_apart_and_no_colour_is_grey():
    red, green, blue = _taken(warmth=1.0)[0, 60]
    assert red > green > blue
    assert np.ptp(_taken(colour=0.0)[0, 5]) == 0


@pytest.mark.filterwarnings("error")
def test_no_warmth_however_far_takes_more_light_than_there_is():
    assert _taken(warmth=-4.0)[..., 0].max() == 0
    assert _taken(warmth=4.0)[..., 2].max() == 0


def test_blur_noise_and_tilt_do_what_they_say():
    assert np.abs(np.diff(_taken(blur=0.05), axis=1)).max() < 10
    assert 5 < _taken(noise=0.1, frame=0.4)[:, 50:].std() < 40
    level, leaning = _taken(frame=0.5), _taken(frame=0.5, tilt=20.0)
    assert (level[0] == level[-1]).all()
    assert (leaning[0] != leaning[-1]).any()


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 1.0), (-1.0, 2.0)])
def test_no_border_is_seen_wherever_the_frame_is_pointed(corner):
    white = Image.new("RGB", (300, 200), "white")
    capture = replace(PLAIN, across=corner[0], down=corner[1], frame=0.84, tilt=10.0)
    assert take(white, capture, side=50, rng=RNG(0)).min() == 255
