"""Arithmetic in which a moment keeps its bits."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from client.isolation import SHORTEST, Isolated, linear, padded_length, thickened
from client.training.isolation_check import same_bits


def test_a_length_follows_from_its_own_photos_alone():
    assert [padded_length(n) for n in (1, 2, 6, 7, 12, 13, 24, 25)] == [
        *(6, 6, 6, 12, 12, 24, 24, 48)
    ]
    assert [padded_length(n, pixels=True) for n in (1, 2, 6, 7, 8, 9, 12, 13)] == [
        *(6, 6, 6, 8, 8, 10, 12, 14)
    ]


def test_a_layer_of_one_output_is_added_up_row_by_row():
    layer = torch.nn.Linear(64, 1)
    rows = torch.randn(50, 64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(linear(rows, layer.weight, layer.bias), layer(rows))
    with Isolated():
        together = layer(rows)
        for row in range(50):
            assert same_bits(layer(rows[row : row + 1])[0], together[row])


@given(photos=st.integers(1, 10_000))
def test_padding_is_the_least_of_its_kind_that_holds_the_photos(photos):
    features, pixels = padded_length(photos), padded_length(photos, pixels=True)
    assert photos <= features
    assert (features // SHORTEST).bit_count() == 1
    assert features % SHORTEST == 0
    assert features == SHORTEST or features < 2 * photos
    assert pixels % 2 == 0
    assert pixels == SHORTEST or photos <= pixels <= photos + 1


def test_a_layer_of_one_output_is_the_sum_of_products_and_the_bias():
    rows, weight = torch.tensor([[1.0, 2], [0, -1]]), torch.tensor([[3.0, 4]])
    assert linear(rows, weight).tolist() == [[11], [-4]]
    assert linear(rows, weight, torch.tensor([5.0])).tolist() == [[16], [1]]


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_of_several_outputs_is_left_as_it_is(bias):
    layer = torch.nn.Linear(64, 2, bias=bias)
    rows = torch.randn(50, 64, generator=torch.Generator().manual_seed(1))
    assert same_bits(linear(rows, layer.weight, layer.bias), layer(rows))


def test_every_other_call_is_passed_on_with_all_that_was_given():
    values = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    expected = functional.softmax(values, dim=0)
    with Isolated():
        found = functional.softmax(values, dim=0)
    assert same_bits(found, expected)


def test_outside_of_it_a_layer_is_torchs_own_again():
    layer = torch.nn.Linear(64, 1)
    rows = torch.randn(50, 64, generator=torch.Generator().manual_seed(1))
    before = layer(rows)
    with Isolated():
        layer(rows)
    assert same_bits(layer(rows), before)


@pytest.mark.parametrize(("outputs", "inputs"), [(2, 64), (3, 64), (64, 1), (64, 2), (2, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_thin_layer_is_widened_by_zeros_and_means_the_same(outputs, inputs, bias):
    draws = torch.Generator().manual_seed(0)
    weight = torch.randn(outputs, inputs, generator=draws, requires_grad=True)
    offset = torch.randn(outputs, generator=draws) if bias else None
    rows = torch.randn(12, inputs, generator=draws, requires_grad=True)
    found, meant = linear(rows, weight, offset), functional.linear(rows, weight, offset)
    torch.testing.assert_close(found, meant, rtol=1e-4, atol=1e-4)
    for own, theirs in zip(
        torch.autograd.grad(found.square().sum(), (rows, weight)),
        torch.autograd.grad(meant.square().sum(), (rows, weight)),
        strict=True,
    ):
        torch.testing.assert_close(own, theirs, rtol=1e-4, atol=1e-4)


def test_only_axes_that_are_too_thin_are_widened():
    values = torch.ones(2, 3, 7)
    assert thickened(values, 1) is values
    assert thickened(values, 2).shape == (2, 4, 7)
    assert thickened(values, 2).sum() == values.sum()
