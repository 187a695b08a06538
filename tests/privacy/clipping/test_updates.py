import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privacy.clipping.updates import clipped_update, holding

anything = arrays(np.float32, st.integers(1, 8), elements=st.floats(width=32))


@given(update=anything, clip=st.floats(1e-6, 1e6))
def test_no_update_is_longer_than_the_clip_whatever_it_holds(update, clip):
    clipped = clipped_update(update, clip)
    assert clipped.shape == update.shape
    assert np.linalg.norm(clipped) <= clip * (1 + 1e-12)


def test_a_short_update_stays_and_a_long_one_keeps_its_direction():
    assert clipped_update(np.float32([3, 4]), 5.0).tolist() == [3.0, 4.0]
    assert clipped_update(np.float32([3, 4]), 1.0) == pytest.approx([0.6, 0.8])


# update, clip, layers, what is returned: a row each of the docstring's table
CLIPPED = {
    "norm 0": ([0, 0], 1.0, (), [0, 0]),
    "norm up to clip": ([3, 4], 5.0, (), [3, 4]),
    "norm above clip": ([3, 4], 1.0, (), [0.6, 0.8]),
    "an entry infinite": ([3, math.inf], 1.0, (), [0, 0]),
    "an entry NaN, in every layer": ([3, 4, math.nan], 1.0, (2, 1), [0, 0, 0]),
    "any finite one, clip infinite": ([3e38, 4], math.inf, (), [np.float32(3e38), 4]),
    "any finite one, clip infinite, with layers": ([3, 4], math.inf, (1, 1), [3, 4]),
    # a clip of 2√2 is 2 for each of two layers
    "a layer of norm up to clip / √n": ([3, 4, 2], 8**0.5, (2, 1), [1.2, 1.6, 2]),
    "a layer of norm above that": ([0, 0, 6], 8**0.5, (2, 1), [0, 0, 2]),
    "no entry": ([], 1.0, (), []),
}


@pytest.mark.parametrize("row", CLIPPED)
def test_every_row_of_the_table_of_clipped_updates_holds(row):
    update, clip, layers, expected = CLIPPED[row]
    found = clipped_update(np.float32(update), clip, layers=layers)
    assert found == pytest.approx(np.array(expected), rel=1e-12, abs=0)


HELD = {
    "norm 0": ([0, 0], (), 0.0),
    "finite": ([3, 4], (), 5.0),
    "finite, with layers": ([3, 4, 2], (2, 1), 5 * 2**0.5),
    "an entry infinite": ([3, -math.inf], (), math.inf),
    "an entry infinite, in the last layer": ([3, math.inf], (1, 1), math.inf),
    "an entry NaN, in the first layer": ([math.nan, 1], (1, 1), math.nan),
    "an entry NaN, in the last layer": ([1, math.nan], (1, 1), math.nan),
    "no entry": ([], (), 0.0),
}


@pytest.mark.parametrize("row", HELD)
def test_every_row_of_the_table_of_least_clips_holds(row):
    update, layers, expected = HELD[row]
    found = holding(np.float32(update), layers=layers)
    assert found == pytest.approx(expected, rel=1e-12, abs=0, nan_ok=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_update_that_is_not_finite_is_none(bad):
    assert clipped_update(np.float32([1, bad]), 1.0).tolist() == [0.0, 0.0]


@given(
    update=arrays(np.float32, 5, elements=st.floats(-1e3, 1e3, width=32)), whole=st.booleans()
)
def test_the_least_clip_that_holds_an_update_leaves_it_and_a_smaller_one_does_not(
    update, whole
):
    layers = () if whole else (2, 3)
    least = holding(update, layers=layers)
    assert clipped_update(update, least * (1 + 1e-9), layers=layers).tolist() == update.tolist()
    if least > 1e-6:
        assert clipped_update(update, 0.99 * least, layers=layers).tolist() != update.tolist()


def test_layers_share_the_squares_of_the_clip():
    """Norms 5 and 2 of two layers: a clip of 5·√2 holds both."""
    update = np.float32([3, 4, 2])
    assert holding(update, layers=(2, 1)) == pytest.approx(5 * 2**0.5)
    assert holding(update) == pytest.approx(29**0.5)
    clipped = clipped_update(update, 2**0.5, layers=(2, 1))
    assert clipped == pytest.approx([0.6, 0.8, 1.0])
    assert np.isnan(holding(np.float32([np.nan, 1])))
