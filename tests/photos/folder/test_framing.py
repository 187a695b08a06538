"""Which part of a picture the ranker sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from photos.folder.framing import LONGEST_SHAPE, SMALLEST_SIDE, cropped, draft_size, square
from photos.folder.skips import Skip

SIDES = st.integers(SMALLEST_SIDE, 20_000)


@given(SIDES, SIDES)
def test_a_picture_is_cropped_up_to_two_to_one_whichever_side_is_longer(width, height):
    assert cropped((width, height)) == (0.5 <= width / height <= 2)
    assert cropped((width, height)) == cropped((height, width))


@pytest.mark.parametrize("shape", [1, 1.5, 16 / 9, LONGEST_SHAPE])
def test_what_a_camera_makes_fills_the_square(shape):
    image = Image.new("RGB", (round(90 * shape), 90), "black")
    middle = (image.width - 90) // 2
    image.paste("white", (middle, 0, middle + 90, 90))
    assert np.asarray(square(image, side=9)).mean() >= 250


@given(st.integers(8, 40), st.integers(2, 90), st.booleans())
def test_a_panorama_lies_whole_between_bars_of_its_mean_colour(short, shape, upright):
    side, long = 16, short * shape + 1
    image = Image.new("RGB", (long, short), (200, 100, 0))
    image.paste((0, 100, 200), (0, 0, long // 2, short))
    if upright:
        image = image.transpose(Image.Transpose.ROTATE_90)
    pixels = np.asarray(square(image, side=side)).astype(int)
    pixels = np.rot90(pixels, -1) if upright else pixels
    bars = np.abs(pixels - (100, 100, 100)).max(axis=(1, 2)) <= 12
    assert side - 3 - side * short // long <= bars.sum() < side
    ends = np.abs(pixels[~bars][:, [0, -1]] - [(0, 100, 200), (200, 100, 0)])
    assert ends.max(axis=(1, 2)).min() <= 12


@given(SIDES, SIDES, st.sampled_from([8, 48, 136, 224]))
def test_a_draft_keeps_four_pixels_for_each_of_the_square(width, height, side):
    size = draft_size((width, height), side=side)
    taken = min if cropped((width, height)) else max
    assert all(1 <= small <= large for small, large in zip(size, (width, height), strict=True))
    assert taken(size) >= min(4 * side, taken(width, height))
    if taken(width, height) >= 8 * 4 * side:
        assert taken(size) < 2 * 4 * side


def test_the_reason_for_a_small_picture_says_the_smallest_side():
    assert str(SMALLEST_SIDE) in Skip.TOO_SMALL


@given(st.integers(8, 60), st.integers(8, 60), st.integers(1, 12))
def test_a_crop_is_what_pillow_fits_into_a_square(width, height, side):
    rng = np.random.default_rng(width * height)
    image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    if cropped(image.size):
        fitted = ImageOps.fit(image, (side, side), method=Image.Resampling.LANCZOS)
        assert (np.asarray(square(image, side=side)) == np.asarray(fitted)).all()


def test_beyond_its_extent_a_picture_is_not_looked_at():
    image = Image.new("RGB", (101, 101), "black")
    image.paste("white", (0, 0, 100, 100))
    assert (np.asarray(square(image, side=10, extent=(99.5, 99.5)))[:-1, :-1] >= 250).all()
