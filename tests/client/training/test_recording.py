"""Plain modules, run with the parameters of many devices while their layers are recorded."""

import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional

from client.training.layers import LAYERS
from client.training.recording import Recording, UnknownLayerError


def frozen(*shape):
    return nn.Parameter(torch.zeros(shape), requires_grad=False)


@pytest.fixture
def layer():
    """Two features in, one out; its own values are not those of any device."""
    return nn.Linear(2, 1).requires_grad_(False)


@pytest.fixture
def recording(layer):
    """Two devices with one moment each: weights (1, 2) and (3, 4), biases 10 and 20."""
    own = torch.tensor([[1.0, 2, 10], [3, 4, 20]])
    return Recording([layer.weight, layer.bias], own, lists=(2, 1), known=LAYERS)


def test_every_device_is_answered_by_its_own_parameters(layer, recording):
    with torch.enable_grad(), recording:
        outputs = layer(torch.ones(2, 1, 3, 2))
    assert outputs.squeeze().tolist() == [[13.0] * 3, [27.0] * 3]
    assert outputs.requires_grad


def test_what_was_recorded_is_handed_over_once_and_in_order(layer):
    other = nn.Linear(1, 1, bias=False).requires_grad_(False)
    recording = Recording(
        [layer.weight, other.weight],
        torch.tensor([[1.0, 1, 5]]),
        lists=(1, 1),
        known=LAYERS,
    )
    with torch.enable_grad(), recording:
        last = other(layer(torch.ones(1, 1, 1, 2)))
    first, second = recording.taken()
    assert second.output is last
    assert second.output.item() == pytest.approx(5 * first.output.item())
    assert recording.taken() == []


def test_calls_without_a_trained_parameter_are_passed_on(layer, recording):
    other = nn.Linear(2, 2)
    inputs = torch.ones(2, 1, 3, 2)
    with torch.enable_grad(), recording:
        found = torch.relu(other(inputs)) @ torch.ones(2, 1)
    assert torch.equal(found, torch.relu(other(inputs)) @ torch.ones(2, 1))
    assert recording.taken() == []


def test_parts_and_places_are_those_of_the_parameters(layer, recording):
    weight, bias = recording.parts(torch.arange(6.0).view(2, 3))
    assert weight.tolist() == [[[0.0, 1]], [[3, 4]]]
    assert bias.tolist() == [[2.0], [5]]
    other = frozen(2)
    assert [recording.place(one) for one in (layer.weight, layer.bias, other, None)] == [
        *(0, 1, None, None)
    ]
    assert recording.own(layer.bias).tolist() == [[10.0], [20.0]]
    assert recording.own(other).tolist() == [[0.0, 0.0]]


def test_parts_are_views_through_which_sums_are_written(recording):
    total = torch.zeros(2, 3)
    recording.parts(total)[1][1] += 7
    assert total.tolist() == [[0, 0, 0], [0, 0, 7]]


def test_rows_of_a_moment_lie_together_however_its_values_were_folded(recording):
    values = torch.arange(12.0)
    for shape in ((2, 1, 3, 2), (2, 3, 2), (6, 2), (2, 1, 3, 1, 2)):
        assert torch.equal(recording.rows(values.view(shape)), values.view(2, 1, 3, 2))


def test_products_of_rows_are_made_once_in_float64_for_the_layers_that_share_them(recording):
    inputs = torch.tensor([[[[3.0, 4], [1, 0]]], [[[0, 0], [0, 1e30]]]])
    rows, products = recording.alike(inputs)
    assert rows.dtype == products.dtype == torch.float64
    assert products[0, 0].tolist() == [[25, 3], [3, 1]]
    # more than float32 holds
    assert products[1, 0, 1, 1] == pytest.approx(1e60)
    assert recording.alike(inputs)[1] is products
    assert recording.alike(inputs.clone())[1] is not products


def test_inputs_are_kept_so_that_no_others_are_taken_for_them(recording):
    inputs = torch.ones(2, 1, 3, 2)
    recording.alike(inputs)
    kept = weakref.ref(inputs)
    del inputs
    assert kept() is not None


def summed_with_itself(layer, inputs):
    return layer(inputs) + layer(inputs)


def in_a_list(layer, inputs):
    return torch.stack([layer.weight])


def in_part(layer, inputs):
    return inputs @ layer.weight[0]


def without_a_bias(layer, inputs):
    return functional.layer_norm(inputs, (2,), layer.weight)


@pytest.mark.parametrize(
    ("use", "shape", "named"),
    [
        (summed_with_itself, (2, 2), "trained parameter of two layers"),
        (in_a_list, (2, 2), "stack of a trained parameter"),
        (in_part, (2, 2), "__getitem__ of a trained parameter"),
        (without_a_bias, (2,), "layer without a weight or a bias"),
    ],
)
def test_a_parameter_in_a_role_that_is_not_known_is_refused_by_name(use, shape, named):
    layer = nn.Linear(2, 2, bias=False)
    layer.weight = frozen(*shape)
    recording = Recording(
        [layer.weight], torch.zeros(1, layer.weight.numel()), lists=(1, 1), known=LAYERS
    )
    with torch.enable_grad(), recording, pytest.raises(UnknownLayerError, match=named):
        use(layer, torch.ones(1, 1, 2, 2))
