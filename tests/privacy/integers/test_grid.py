import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privacy.integers.grid import STEPS, IntegerGrid, within

anything = arrays(np.float32, st.integers(0, 12), elements=st.floats(width=32))
short = arrays(np.float32, st.integers(0, 12), elements=st.floats(-1, 1, width=32))
finite = arrays(
    np.float32,
    st.integers(1, 12),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


def squared(integers):
    """The squared norm in integers without a limit."""
    return sum(int(entry) ** 2 for entry in integers)


def integers(update, *, clip=1.0, steps=16):
    return IntegerGrid(clip=clip, steps=steps).integers(np.float32(update))


@given(update=anything, clip=st.floats(1e-30, 1e30), steps=st.integers(2, 2**20))
def test_no_update_is_longer_than_the_clip_whatever_it_holds(update, clip, steps):
    found = IntegerGrid(clip=clip, steps=steps).integers(update)
    assert found.shape == update.shape
    assert found.dtype == np.int64
    assert squared(found) <= steps**2


# vector, its integers on a grid of ten steps to a clip of 2: a row each of the docstring's
# table
ROUNDED = {
    "norm 0": ([0.0, 0.0], [0, 0]),
    # 10 - √2/2 steps are a norm of 1.858; 0.9 and 1.6 are 4.5 and 8 steps
    "norm up to clip · (1 - √size/2 / steps)": ([0.9001, 1.6], [5, 8]),
    # (3, 4) · (10 - √2/2) / 5 is (5.58, 7.43)
    "norm above that": ([3.0, 4.0], [6, 7]),
    "an entry infinite": ([3.0, math.inf], [0, 0]),
    "an entry NaN": ([math.nan, 4.0], [0, 0]),
    "an entry whose square is infinite in float64": ([1e200, 4.0], [0, 0]),
    "no entry": ([], []),
}


@pytest.mark.parametrize("row", ROUNDED)
def test_every_row_of_the_table_of_integers_holds(row):
    vector, expected = ROUNDED[row]
    assert IntegerGrid(clip=2.0, steps=10).integers(np.array(vector)).tolist() == expected


# vector and what is kept of it within 5
KEPT = {
    "squared norm up to bound²": ([3, -4], [3, -4]),
    "squared norm above bound²": ([3, 5], [0, 0]),
    "an entry beyond ±bound, even where its square leaves 64 bits": ([-(2**40), 0], [0, 0]),
    "no entry": ([], []),
}


@pytest.mark.parametrize("row", KEPT)
def test_every_row_of_the_table_of_kept_vectors_holds(row):
    vector, expected = KEPT[row]
    assert within(np.array(vector, np.int64), 5).tolist() == expected


@given(update=finite, steps=st.integers(4, 2**20))
def test_a_long_update_keeps_its_length_up_to_rounding(update, steps):
    norm = float(np.linalg.norm(update.astype(np.float64)))
    if norm > 0:
        found = IntegerGrid(clip=1e-30, steps=steps).integers(update)
        wanted = min(norm * 1e30, 1.0) * steps
        assert math.sqrt(squared(found)) >= wanted - math.sqrt(update.size) - 1e-6


@given(update=short, clip=st.floats(4, 1e3))
def test_an_entry_is_off_by_half_a_step_where_nothing_is_clipped(update, clip):
    grid = IntegerGrid(clip=clip, steps=2**10)
    back = grid.values(grid.integers(update))
    assert np.abs(back - update).max(initial=0) <= clip / 2**11 * (1 + 1e-9)


def test_an_update_is_rounded_to_the_nearest_step():
    # sixteen steps to the clip
    assert integers([0.25, -0.5, 0.03, -0.04]).tolist() == [4, -8, 0, -1]
    assert integers([0.5, -1.0], clip=2.0).tolist() == [4, -8]


def test_a_long_update_keeps_its_direction():
    # 16 - √2/2 = 15.293 steps: 9.18 and 12.23
    assert integers([3, 4], clip=5.0).tolist() == [9, 12]
    assert integers([-3e30, 4e30]).tolist() == [-9, 12]


def test_entries_that_are_all_rounded_up_still_fit():
    # 10.6 steps each at the clip of 1060 would make 11 each, a norm of 1100
    found = integers(np.full(10_000, 0.01), steps=1060)
    assert np.unique(found).tolist() == [10]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_update_that_is_not_finite_is_none(bad):
    assert integers([1, bad, 0.5]).tolist() == [0, 0, 0]


def test_values_undo_the_grid():
    grid = IntegerGrid(clip=2.0, steps=16)
    assert grid.values(np.array([4, -8, 2**40])).tolist() == [0.5, -1.0, 2.0**37]


@pytest.mark.parametrize(
    ("vector", "bound", "kept"),
    [
        ([3, 4], 5, True),
        ([3, -4], 4, False),
        ([0, 6], 5, False),
        ([], 0, True),
        ([2**20, 1], 2**20, False),
        ([2**32], 2**20, False),
        ([-(2**63)], 2**20, False),
        ([-(2**63), 2**63 - 1], 2**20, False),
    ],
)
def test_the_norm_is_compared_in_integers_that_do_not_wrap(vector, bound, kept):
    # the square of 2^32 is 0 modulo 2^64, and the magnitude of -2^63 is negative
    found = within(np.array(vector, np.int64), bound)
    assert found.tolist() == (vector if kept else [0] * len(vector))


def test_a_vector_of_many_entries_is_added_up_whole():
    # 2^20 entries of 2^10 are just within 2^20, and one more is not
    assert within(np.full(2**20, 2**10), 2**20).any()
    assert not within(np.full(2**20 + 1, 2**10), 2**20).any()


def test_a_grid_too_coarse_for_the_vector_is_refused():
    # 16 - √900/2 leaves one step
    assert integers([1.0] + [0.0] * 899)[0] == 1
    with pytest.raises(ValueError, match=r"^steps=16 must exceed half the root of the 1024"):
        integers([1.0] * 1024)


@pytest.mark.parametrize("steps", [0, -1, 2**20 + 1])
def test_steps_beyond_the_exact_range_are_refused(steps):
    with pytest.raises(ValueError, match=rf"^steps={steps} must lie between 1 and 1048576"):
        IntegerGrid(clip=1.0, steps=steps)


@pytest.mark.parametrize("clip", [0.0, -1.0, 1e31, math.inf, math.nan])
def test_a_clip_that_is_none_is_refused(clip):
    with pytest.raises(ValueError, match=rf"^clip={clip:g}".replace("+", r"\+")):
        IntegerGrid(clip=clip, steps=16)


def test_vectors_that_are_too_long_become_zero_one_by_one():
    rows = np.array([[3, 4], [3, -5], [0, -6], [2**32, 0], [-(2**63), 0], [5, 0]])
    expected = [[3, 4], [0, 0], [0, 0], [0, 0], [0, 0], [5, 0]]
    assert within(rows, 5).tolist() == expected


@pytest.mark.parametrize(
    ("noise", "steps", "whole"),
    [(1.0, 16, 16), (0.1, 16, 2), (0.5, 3, 2), (256.0, STEPS, 2**26)],
)
def test_noise_is_rounded_up_to_whole_steps(noise, steps, whole):
    assert IntegerGrid(clip=0.3, steps=steps).deviation(noise) == whole


@pytest.mark.parametrize("noise", [-1e-9, 256.1, math.inf, math.nan])
def test_noise_that_cannot_be_drawn_is_refused(noise):
    with pytest.raises(ValueError, match=r"^noise_multiplier=.* must lie between 0 and 256"):
        IntegerGrid(clip=0.3).deviation(noise)
