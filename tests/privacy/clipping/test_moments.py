import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from opacus.optimizers import DPOptimizer
from torch import nn

from privacy.clipping.moments import add_clipped, coefficients

AWKWARD = [0.0, -0.0, 1e-45, 1e-30, 1e-6, 1.0, -7.5, 1e30, -3e38, math.nan, math.inf, -math.inf]
ENTRIES = st.one_of(
    st.sampled_from(AWKWARD),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.floats(-10, 10, width=32),
)
MOMENT = st.lists(ENTRIES, min_size=5, max_size=5)
CLIPS = st.sampled_from([1e-3, 0.1, 1.0, 3.7, 100.0])


def clipped(moments, clip):
    """The sum of rows of numbers, clipped, and how many were not finite."""
    table = torch.as_tensor(moments, dtype=torch.float32)
    total = torch.zeros(table.shape[1], dtype=torch.float64)
    non_finite = add_clipped(total, table, clip)
    return total.numpy(), non_finite


def random_gradients(seed, moments):
    generator = torch.Generator().manual_seed(seed)
    scales = torch.tensor([1.0] * 12 + [0.1] * 7 + [3.0] * 8)
    return scales * torch.randn(moments, 27, generator=generator)


@given(st.lists(ENTRIES, min_size=5, max_size=5), CLIPS)
@settings(deadline=None, max_examples=300)
def test_no_moment_contributes_more_than_the_clip(moment, clip):
    contribution, _ = clipped([moment], clip)
    assert np.linalg.norm(contribution) <= clip * (1 + 1e-12)


@given(MOMENT, st.sampled_from([1e-150, 1e-38, 1e-9, 1e9, 1e38, 1e150]))
@settings(deadline=None, max_examples=200)
def test_a_clip_of_any_size_holds_in_the_numbers_that_are_added(moment, clip):
    contribution, _ = clipped([moment], clip)
    largest = np.abs(contribution).max()
    # scaled before it is squared: the square of 1e-300 is zero
    length = largest * np.linalg.norm(contribution / largest) if largest else 0.0
    assert length <= clip * (1 + 1e-12)


@given(st.lists(MOMENT, min_size=1, max_size=40), st.integers(0, 39), CLIPS)
@settings(deadline=None, max_examples=150)
def test_one_moment_less_moves_the_sum_by_at_most_a_clip_and_a_millionth(moments, row, clip):
    row %= len(moments)
    whole, _ = clipped(moments, clip)
    less, _ = clipped([m for i, m in enumerate(moments) if i != row] or [[0.0] * 5], clip)
    assert np.linalg.norm(whole - less) <= clip * (1 + 1e-6)


@given(st.lists(MOMENT, max_size=6), CLIPS)
@settings(deadline=None, max_examples=150)
def test_moments_that_are_not_finite_are_counted_and_leave_the_sum_of_the_others(moments, clip):
    finite = [moment for moment in moments if np.isfinite(moment).all()]
    total, non_finite = clipped(np.reshape(moments, (-1, 5)), clip)
    assert non_finite == len(moments) - len(finite)
    expected, _ = clipped(np.reshape(finite, (-1, 5)), clip)
    assert total == pytest.approx(expected, rel=1e-9, abs=1e-9 * clip)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("clip", [1.0, math.inf])
def test_one_undefined_entry_zeroes_the_whole_moment(bad, clip):
    moments = [[0.1, 0.2, 0.3, 0.4, 0.5], [9.0, 9.0, 9.0, 9.0, bad]]
    total, non_finite = clipped(moments, clip)
    assert non_finite == 1
    assert total == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


# gradients, clip, their sum and how many are not finite: a row each of the docstring's table
ADDED = {
    "norm 0": ([[0.0, 0.0]], 1.25, [0.0, 0.0], 0),
    "norm up to clip - 1e-6": ([[0.75, 1.0]], 1.250001, [0.75, 1.0], 0),
    # norm 5 and a coefficient of 1.25 / 5.000001
    "norm above that": ([[3.0, 4.0]], 1.25, [0.74999985, 0.9999998], 0),
    "norm just below clip": ([[0.0, 1.0]], 1.0, [0.0, 0.999999], 0),
    "an entry infinite": ([[3.0, math.inf]], 1.25, [0.0, 0.0], 1),
    "an entry NaN": ([[math.nan, 4.0]], 1.25, [0.0, 0.0], 1),
    "any finite one, clip infinite": ([[3e38, 4.0]], math.inf, [np.float32(3e38), 4.0], 0),
    "an entry infinite, clip infinite": ([[3.0, math.inf]], math.inf, [0.0, 0.0], 1),
    "none at all": (np.zeros((0, 2)), 1.25, [0.0, 0.0], 0),
}


@pytest.mark.parametrize("row", ADDED)
def test_every_row_of_the_table_of_contributions_holds(row):
    gradients, clip, expected, bad = ADDED[row]
    total, non_finite = clipped(gradients, clip)
    assert total == pytest.approx(expected, rel=1e-9, abs=0)
    assert non_finite == bad


# norm, clip, coefficient
SCALED = {
    "0": (0.0, 2.0, 1.0),
    "0, where clip / 1e-6 is less than 1": (0.0, 5e-7, 0.5),
    "up to clip - 1e-6": (1.0, 1.000001, 1.0),
    "above that": (3.999999, 2.0, 0.5),
    "infinite": (math.inf, 2.0, 0.0),
    "NaN": (math.nan, 2.0, 0.0),
    "any finite one, clip infinite": (1e300, math.inf, 1.0),
    "infinite, clip infinite": (math.inf, math.inf, 0.0),
}


@pytest.mark.parametrize("row", SCALED)
def test_every_row_of_the_table_of_coefficients_holds(row):
    norm, clip, expected = SCALED[row]
    found = coefficients(torch.tensor([norm], dtype=torch.float64), clip)
    assert found.tolist() == pytest.approx([expected], rel=1e-9, abs=0)


def test_a_gradient_too_large_to_square_in_float32_is_clipped_not_dropped():
    total, non_finite = clipped([[3e30, 4e30]], 1.0)
    assert non_finite == 0
    assert total.tolist() == pytest.approx([0.6, 0.8])


def test_a_moment_above_the_clip_keeps_its_direction():
    # a moment of 3 and 4 has norm 5: clipped to 1 it is 0.6 and 0.8, and to 4.5 2.7 and 3.6
    assert clipped([[3.0, 4.0]], 1.0)[0] == pytest.approx([0.6, 0.8], rel=1e-6)
    assert clipped([[3.0, 4.0]], 4.5)[0] == pytest.approx([2.7, 3.6], rel=1e-6)


def test_a_moment_within_the_clip_is_left_as_it_is():
    assert clipped([[0.3, -0.4]], 1.0)[0].tolist() == [np.float32(0.3), np.float32(-0.4)]


def test_the_result_is_the_sum_and_not_the_mean():
    # three moments of norm 5 clipped to 1 point one way: their sum has norm 3
    assert clipped([[3.0, 4.0]] * 3, 1.0)[0] == pytest.approx([1.8, 2.4], rel=1e-6)


def test_a_sum_is_added_to_what_is_there():
    total = torch.tensor([10.0, 20.0], dtype=torch.float64)
    add_clipped(total, torch.tensor([[0.25, 0.5]]), 1.0)
    assert total.tolist() == [10.25, 20.5]


def test_an_infinite_clip_gives_the_plain_sum():
    gradients = random_gradients(1, 6)
    assert clipped(gradients, math.inf)[0] == pytest.approx(gradients.double().sum(0).numpy())


def test_an_infinite_clip_leaves_a_moment_of_zeros_at_zero():
    total, non_finite = clipped(torch.zeros(2, 3), math.inf)
    assert total.tolist() == [0, 0, 0]
    assert non_finite == 0


def test_no_moments_add_nothing():
    total = torch.ones(27, dtype=torch.float64)
    assert add_clipped(total, torch.zeros(0, 27), 1.0) == 0
    assert total.tolist() == [1.0] * 27


def test_the_sum_equals_a_slow_reference_moment_by_moment():
    gradients, clip = random_gradients(3, 9), 2.5
    expected = np.zeros(27)
    for moment in gradients.double().numpy():
        expected += moment * min(1, clip / (math.sqrt((moment**2).sum()) + 1e-6))
    assert clipped(gradients, clip)[0] == pytest.approx(expected, rel=1e-12)
    norms = gradients.norm(dim=1)
    assert (norms > clip).any()


@given(st.integers(0, 1000), st.sampled_from([0.1, 2.0, 4.0, 50.0]))
@settings(deadline=None, max_examples=25)
def test_the_sum_is_that_of_opacus(seed, clip):
    gradients = random_gradients(seed, 5)
    parts = torch.split(gradients, [12, 15], dim=1)
    weights = [nn.Parameter(torch.zeros(part.shape[1])) for part in parts]
    optimizer = DPOptimizer(
        torch.optim.SGD(weights, lr=1.0),
        noise_multiplier=0.0,
        max_grad_norm=clip,
        expected_batch_size=1,
    )
    for weight, part in zip(weights, parts, strict=True):
        weight.grad_sample = part
    optimizer.clip_and_accumulate()
    theirs = torch.cat([weight.summed_grad for weight in weights]).numpy()
    assert clipped(gradients, clip)[0] == pytest.approx(theirs, rel=1e-5, abs=1e-6)


def test_the_margin_of_the_coefficient_is_a_millionth():
    # norm 1e-6 and clip 1e-6: the coefficient is 1e-6 / (1e-6 + 1e-6) = one half
    assert clipped([[1e-6]], 1e-6)[0].item() == pytest.approx(5e-7, rel=1e-5)


def test_the_gradients_are_left_as_they_were():
    gradients = torch.tensor([[1.0, 2.0, math.nan]])
    clipped(gradients, 0.1)
    torch.testing.assert_close(gradients, torch.tensor([[1.0, 2.0, math.nan]]), equal_nan=True)
