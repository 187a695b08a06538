import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privacy.update_clipping import clipped_update

anything = arrays(np.float32, st.integers(1, 8), elements=st.floats(width=32))


@given(update=anything, clip=st.floats(1e-6, 1e6))
def test_no_update_is_longer_than_the_clip_whatever_it_holds(update, clip):
    clipped = clipped_update(update, clip)
    assert clipped.shape == update.shape
    assert np.linalg.norm(clipped) <= clip * (1 + 1e-12)


def test_a_short_update_stays_and_a_long_one_keeps_its_direction():
    assert clipped_update(np.float32([3, 4]), 5.0).tolist() == [3.0, 4.0]
    assert clipped_update(np.float32([3, 4]), 1.0) == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_update_that_is_not_finite_is_none(bad):
    assert clipped_update(np.float32([1, bad]), 1.0).tolist() == [0.0, 0.0]
