import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from opacus.optimizers import DPOptimizer
from torch import nn

from privacy.clipping import clipped_sum

AWKWARD = [0.0, -0.0, 1e-45, 1e-30, 1e-6, 1.0, -7.5, 1e30, -3e38, math.nan, math.inf, -math.inf]
ENTRIES = st.one_of(
    st.sampled_from(AWKWARD),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.floats(-10, 10, width=32),
)
MOMENT = st.lists(ENTRIES, min_size=5, max_size=5)
CLIPS = st.sampled_from([1e-3, 0.1, 1.0, 3.7, 100.0])


def parameters(moments):
    """Two parameters, of shapes [2] and [3, 1], of moments of five entries."""
    table = torch.tensor(moments, dtype=torch.float32).reshape(-1, 5)
    return [table[:, :2], table[:, 2:].reshape(-1, 3, 1)]


def joined(sums):
    return np.concatenate([part.double().numpy().ravel() for part in sums])


def random_gradients(seed, moments):
    generator = torch.Generator().manual_seed(seed)
    return [
        scale * torch.randn(moments, *shape, generator=generator)
        for scale, shape in ((1.0, (4, 3)), (0.1, (7,)), (3.0, (2, 2, 2)))
    ]


@given(MOMENT, CLIPS)
@settings(deadline=None, max_examples=300)
def test_no_moment_contributes_more_than_the_clip(moment, clip):
    contribution = joined(clipped_sum(parameters([moment]), clip).sums)
    assert np.linalg.norm(contribution) <= clip * (1 + 1e-6)


@given(st.lists(MOMENT, max_size=6), CLIPS)
@settings(deadline=None, max_examples=150)
def test_moments_that_are_not_finite_are_counted_and_leave_the_sum_of_the_others(moments, clip):
    finite = [moment for moment in moments if np.isfinite(moment).all()]
    found = clipped_sum(parameters(moments), clip)
    assert found.non_finite == len(moments) - len(finite)
    assert joined(found.sums) == pytest.approx(
        joined(clipped_sum(parameters(finite), clip).sums), rel=1e-5, abs=1e-5 * clip
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("clip", [1.0, math.inf])
def test_one_undefined_entry_in_one_parameter_zeroes_the_whole_moment(bad, clip):
    moments = [[0.1, 0.2, 0.3, 0.4, 0.5], [9.0, 9.0, 9.0, 9.0, bad]]
    found = clipped_sum(parameters(moments), clip)
    assert found.non_finite == 1
    assert joined(found.sums) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert found.norms.tolist() == pytest.approx([math.sqrt(0.55), 0])


def test_a_gradient_too_large_to_square_in_float32_is_clipped_not_dropped():
    found = clipped_sum([torch.tensor([[3e30, 4e30]])], 1.0)
    assert found.non_finite == 0
    assert found.norms.item() == pytest.approx(5e30)
    assert found.sums[0].tolist() == pytest.approx([0.6, 0.8])


def test_the_norm_is_of_all_parameters_together():
    # a moment of parts 3 and 4 has norm 5: clipped to 1 it is 0.6 and 0.8, not 1 and 1
    found = clipped_sum([torch.tensor([[3.0]]), torch.tensor([[4.0]])], 1.0)
    assert found.norms.item() == 5
    assert joined(found.sums) == pytest.approx([0.6, 0.8], rel=1e-6)


def test_parts_below_the_clip_are_clipped_when_together_they_exceed_it():
    found = clipped_sum([torch.tensor([[3.0]]), torch.tensor([[4.0]])], 4.5)
    assert joined(found.sums) == pytest.approx([2.7, 3.6], rel=1e-6)


def test_a_moment_within_the_clip_is_left_as_it_is():
    found = clipped_sum([torch.tensor([[0.3]]), torch.tensor([[-0.4]])], 1.0)
    assert joined(found.sums).tolist() == [np.float32(0.3), np.float32(-0.4)]


def test_the_result_is_the_sum_and_not_the_mean():
    # three moments of norm 5 clipped to 1 point one way: their sum has norm 3
    found = clipped_sum([torch.tensor([[3.0, 4.0]] * 3)], 1.0)
    assert found.sums[0].tolist() == pytest.approx([1.8, 2.4], rel=1e-6)


def test_an_infinite_clip_gives_the_plain_sum():
    gradients = random_gradients(1, 6)
    found = clipped_sum(gradients, math.inf)
    for part, gradient in zip(found.sums, gradients, strict=True):
        torch.testing.assert_close(part, gradient.sum(0))


def test_an_infinite_clip_leaves_a_moment_of_zeros_at_zero():
    found = clipped_sum([torch.zeros(2, 3)], math.inf)
    assert found.sums[0].tolist() == [0, 0, 0]
    assert found.non_finite == 0


def test_no_moments_give_zeros_of_the_parameters_shapes():
    found = clipped_sum(random_gradients(2, 0), 1.0)
    assert [tuple(part.shape) for part in found.sums] == [(4, 3), (7,), (2, 2, 2)]
    assert not joined(found.sums).any()
    assert found.norms.shape == (0,)


def test_the_sum_equals_a_slow_reference_moment_by_moment():
    gradients, clip = random_gradients(3, 9), 2.5
    expected = np.zeros(12 + 7 + 8)
    for moment in range(9):
        flat = np.concatenate([g[moment].double().numpy().ravel() for g in gradients])
        expected += flat * min(1, clip / (math.sqrt((flat**2).sum()) + 1e-6))
    found = clipped_sum(gradients, clip)
    assert joined(found.sums) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert any(found.norms > clip)
    assert any(found.norms < 12)


@given(st.integers(0, 1000), st.sampled_from([0.1, 2.0, 4.0, 50.0]))
@settings(deadline=None, max_examples=25)
def test_the_sum_is_that_of_opacus(seed, clip):
    gradients = random_gradients(seed, 5)
    weights = [nn.Parameter(torch.zeros(gradient.shape[1:])) for gradient in gradients]
    optimizer = DPOptimizer(
        torch.optim.SGD(weights, lr=1.0),
        noise_multiplier=0.0,
        max_grad_norm=clip,
        expected_batch_size=1,
    )
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad_sample = gradient
    optimizer.clip_and_accumulate()
    for weight, part in zip(weights, clipped_sum(gradients, clip).sums, strict=True):
        torch.testing.assert_close(part, weight.summed_grad, rtol=1e-5, atol=1e-6)


def test_the_margin_of_the_coefficient_is_a_millionth():
    # norm 1e-6 and clip 1e-6: the coefficient is 1e-6 / (1e-6 + 1e-6) = one half
    found = clipped_sum([torch.tensor([[1e-6]])], 1e-6)
    assert found.sums[0].item() == pytest.approx(5e-7, rel=1e-5)


def test_the_gradients_are_left_as_they_were():
    gradients = parameters([[1.0, 2.0, 3.0, 4.0, math.nan]])
    before = [gradient.clone() for gradient in gradients]
    clipped_sum(gradients, 0.1)
    for gradient, old in zip(gradients, before, strict=True):
        torch.testing.assert_close(gradient, old, equal_nan=True)
