"""Padding that leaks into nothing, and the same bits wherever an element stands."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.masking import (
    discounts,
    fill,
    ideal_dcg,
    log_softmax,
    mid_ranks,
    ratio,
    sigmoid,
    softplus,
)

JUNK = [0.0, 1e30, -1e30, math.nan, math.inf, -math.inf]
each_junk = pytest.mark.parametrize("junk", JUNK)
finite = st.floats(-50, 50)


def padded(junk):
    """Three scores behind padding, which asks for gradients too."""
    values = torch.tensor([junk, 1.0, 2.0, 4.0], dtype=torch.float64, requires_grad=True)
    return values, torch.tensor([False, True, True, True])


@each_junk
def test_filled_padding_is_zero_and_has_no_gradient_whatever_it_holds(junk):
    values, where = padded(junk)
    found = fill(values, where=where)
    assert found.tolist() == [0, 1, 2, 4]
    found.square().sum().backward()
    assert values.grad.tolist() == [0, 2, 4, 8]


@each_junk
def test_a_softmax_is_over_what_is_there_alone(junk):
    values, where = padded(junk)
    found = log_softmax(values, where=where)
    total = math.log(math.exp(1) + math.exp(2) + math.exp(4))
    assert found.tolist() == pytest.approx([0, 1 - total, 2 - total, 4 - total])
    found[1].backward()
    shares = [math.exp(score - total) for score in (1, 2, 4)]
    assert values.grad.tolist() == pytest.approx([0, 1 - shares[0], -shares[1], -shares[2]])


@pytest.mark.parametrize("low", [-1e29, -1e31, -1e37, torch.finfo(torch.float32).min])
def test_no_score_is_so_low_that_padding_stands_beside_it(low):
    values = torch.tensor([low, low, 0.0], requires_grad=True)
    found = log_softmax(values, where=torch.tensor([True, True, False]))
    assert found.tolist() == pytest.approx([-math.log(2), -math.log(2), 0])
    found[0].backward()
    assert values.grad.tolist() == pytest.approx([0.5, -0.5, 0])


@each_junk
def test_a_softmax_of_padding_alone_is_zero_without_a_gradient(junk):
    values, where = padded(junk)
    log_softmax(values, where=where & False).sum().backward()
    assert values.grad.tolist() == [0, 0, 0, 0]


def test_a_ratio_over_nothing_is_zero_without_a_gradient():
    values = torch.tensor([3.0, 3.0], requires_grad=True)
    totals = torch.tensor([4.0, 0.0], requires_grad=True)
    found = ratio(values, totals)
    assert found.tolist() == [0.75, 0]
    found.sum().backward()
    assert values.grad.tolist() == [0.25, 0]
    # -3 / 4²
    assert totals.grad.tolist() == [-0.1875, 0]


@given(st.floats(-700, 700))
@settings(deadline=None)
def test_sigmoid_and_softplus_are_those_of_their_formulas(value):
    one = torch.tensor(value, dtype=torch.float64)
    lower = 1 / (1 + math.exp(-value)) if value > 0 else 1 - 1 / (1 + math.exp(value))
    assert sigmoid(one).item() == pytest.approx(lower, abs=1e-15)
    plus = max(value, 0) + math.log1p(math.exp(-abs(value)))
    assert softplus(one).item() == pytest.approx(plus, rel=1e-14, abs=1e-300)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 90.0, -90.0])
def test_the_slope_of_softplus_is_the_sigmoid(value):
    one = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    softplus(one).backward()
    assert one.grad.item() == pytest.approx(1 / (1 + math.exp(-value)), abs=1e-15)


@pytest.mark.parametrize("function", [sigmoid, softplus])
@pytest.mark.parametrize("size", [1, 3, 8, 17, 100])
def test_an_element_has_the_same_bits_wherever_it_stands(function, size):
    """torch's own differs at the end of a tensor, and a moment's loss with its neighbours."""
    values = torch.randn(size, generator=torch.Generator().manual_seed(size))
    together = function(values)
    alone = torch.cat([function(values[i : i + 1]) for i in range(size)])
    assert torch.equal(together, alone)


def test_a_rank_is_worth_one_over_the_logarithm_of_one_more():
    assert discounts(torch.tensor([1.0, 3.0, 7.0])).tolist() == pytest.approx([1, 1 / 2, 1 / 3])


def test_the_ideal_dcg_is_that_of_gains_in_falling_order():
    """3 + 2 / log₂ 3 + 1 / 2, also with padding of gain 0 between them."""
    expected = 3 + 2 / math.log2(3) + 0.5
    gains = torch.tensor([[1.0, 2.0, 3.0, 0.0], [0.0, 3.0, 1.0, 2.0]], dtype=torch.float64)
    assert ideal_dcg(gains).tolist() == pytest.approx([expected, expected])
    assert ideal_dcg(torch.zeros(2, 3)).tolist() == [0, 0]


def test_tied_scores_share_the_mean_of_their_ranks_and_padding_has_none():
    scores = torch.tensor([9.0, 2.0, 5.0, 2.0, 2.0])
    where = torch.tensor([False, True, True, True, True])
    # 5 is first, and three share the second to the fourth
    assert mid_ranks(scores, where=where)[1:].tolist() == [3, 1, 3, 3]


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=8))
def test_ranks_add_up_to_those_without_ties(scores):
    found = mid_ranks(torch.tensor(scores).double(), where=torch.ones(len(scores)).bool())
    count = len(scores)
    assert found.sum().item() == count * (count + 1) / 2
