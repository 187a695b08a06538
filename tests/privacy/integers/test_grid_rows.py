"""Sums of rows: no row moves one by more than the clip, and no order a bit of it."""

import math
import tracemalloc
from typing import get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privacy.integers.discrete_gaussian import FARTHEST, LARGEST
from privacy.integers.grid import MOST_STEPS, STEPS, IntegerGrid, norms
from protocol.limits import MAX_PARAMETERS
from protocol.settings import Training


def squared(integers):
    """The squared norm in integers without a limit."""
    return sum(int(entry) ** 2 for entry in integers)


def moved(gradients, row, *, clip, steps):
    """The squared norm, in integers, of what one row adds to the sum."""
    grid = IntegerGrid(clip=clip, steps=steps)
    there, _ = grid.integers_of_rows(gradients)
    gone, _ = grid.integers_of_rows(np.delete(gradients, row, axis=0))
    return squared(there - gone)


def hostile(dtype, width):
    """Denormals, infinities, NaN, and all between."""
    extremes = [
        np.nan,
        np.inf,
        -np.inf,
        np.finfo(dtype).max,
        np.finfo(dtype).smallest_subnormal,
    ]
    extremes += [1e38, -1e38, 1e-40, np.finfo(dtype).tiny, -0.0]
    elements = st.floats(width=width) | st.sampled_from([dtype(value) for value in extremes])
    shapes = st.tuples(st.integers(1, 5), st.integers(0, 12))
    return arrays(dtype, shapes, elements=elements)


@given(
    gradients=hostile(np.float32, 32) | hostile(np.float64, 64),
    clip=st.floats(1e-30, 1e30),
    steps=st.integers(2, 2**20),
    data=st.data(),
)
def test_no_row_moves_the_sum_by_more_than_the_clip_whatever_it_holds(
    gradients, clip, steps, data
):
    row = data.draw(st.integers(0, len(gradients) - 1))
    assert moved(gradients, row, clip=clip, steps=steps) <= steps**2


@given(gradients=hostile(np.float32, 32), order=st.randoms(), cut=st.integers(0, 5))
def test_rows_add_up_to_the_same_bits_in_any_order_and_in_any_parts(gradients, order, cut):
    grid = IntegerGrid(clip=0.5)
    total, missing = grid.integers_of_rows(gradients)
    assert total.dtype == np.int64
    rows = list(range(len(gradients)))
    order.shuffle(rows)
    parts = [grid.integers_of_rows(gradients[some]) for some in (rows[:cut], rows[cut:])]
    assert np.array_equal(total, sum(part for part, _ in parts))
    assert missing == sum(count for _, count in parts)
    assert missing == sum(not np.isfinite(row).all() for row in gradients)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 129, 1000, 8193, 70_001])
def test_the_norm_of_a_row_has_the_same_bits_whatever_else_is_there(size):
    draws = np.random.default_rng(size)
    count = min(300, 200_000 // size + 3)
    rows = draws.normal(size=(count, size)) * 10.0 ** draws.integers(-9, 9, size=(count, 1))
    alone = np.array([norms(row[None])[0] for row in rows])
    assert alone == pytest.approx(np.linalg.norm(rows, axis=1), rel=1e-12)
    for _ in range(20):
        some = draws.permutation(count)[: draws.integers(1, count + 1)]
        assert norms(rows[some]).tobytes() == alone[some].tobytes()


@pytest.mark.parametrize("size", [1, 64, 70_001])
def test_the_sum_is_that_of_the_integers_of_each_row_alone(size):
    gradients = np.random.default_rng(size).normal(size=(min(300, 200_000 // size), size))
    grid = IntegerGrid(clip=1e-3 * math.sqrt(size))
    total, missing = grid.integers_of_rows(gradients.astype(np.float32))
    alone = [grid.integers(row) for row in gradients.astype(np.float32)]
    assert np.array_equal(total, np.sum(alone, axis=0))
    assert missing == 0


def test_the_layout_of_the_rows_changes_no_bit():
    gradients = np.random.default_rng(9).normal(size=(50, 301)).astype(np.float32)
    grid = IntegerGrid(clip=0.1)
    total, _ = grid.integers_of_rows(gradients)
    wide = np.zeros((50, 602), np.float32)
    wide[:, ::2] = gradients
    for other in (np.asfortranarray(gradients), wide[:, ::2], gradients.astype(np.float64)):
        assert np.array_equal(grid.integers_of_rows(other)[0], total)


def test_rows_are_rounded_each_by_its_own_length():
    # the row of norm 5 at a clip of 5 has 16 - √2/2 = 15.293 steps, that of 2.5 its 8
    rows = np.float32([[3, 4], [1.5, 2.0], [0, 0], [np.nan, 1], [np.inf, 1]])
    total, missing = IntegerGrid(clip=5.0, steps=16).integers_of_rows(rows)
    assert total.tolist() == [9 + 5, 12 + 6]
    assert missing == 2


def test_no_rows_and_rows_of_nothing_add_nothing():
    grid = IntegerGrid(clip=1.0)
    for shape in [(0, 3), (4, 0), (0, 0)]:
        total, missing = grid.integers_of_rows(np.zeros(shape, np.float32))
        assert (total.tolist(), missing) == ([0] * shape[1], 0)


def test_rows_whose_square_is_beyond_float64_are_not_finite():
    total, missing = IntegerGrid(clip=1.0).integers_of_rows(np.array([[1e200, 0.0]]))
    assert (total.tolist(), missing) == ([0, 0], 1)


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), ()])
def test_gradients_along_another_axis_are_refused(shape):
    with pytest.raises(ValueError, match=r"must be \[rows, size\]"):
        IntegerGrid(clip=1.0).integers_of_rows(np.ones(shape, np.float32))


def test_a_sum_has_room_for_more_moments_than_any_library_has_and_the_noise():
    most = get_args(get_type_hints(Training, include_extras=True)["largest_library"])[1].le
    assert most < 2**42
    assert 2**42 * MOST_STEPS + FARTHEST * LARGEST < 2**63


@pytest.mark.parametrize("size", [64, 36_000, MAX_PARAMETERS])
def test_the_usual_grid_is_fine_enough_for_any_model_that_is_sent(size):
    # √16,000,000/2 = 2,000 of 262,144 steps are left for rounding
    one = np.zeros((1, size), np.float32)
    one[0, 0] = 1.0
    total, _ = IntegerGrid(clip=1.0).integers_of_rows(one)
    assert 0.99 * STEPS < total[0] <= STEPS


def test_many_rows_are_rounded_in_little_memory():
    gradients = np.ones((400, 20_000), np.float32)
    tracemalloc.start()
    IntegerGrid(clip=1.0).integers_of_rows(gradients)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 2**20 < gradients.nbytes
