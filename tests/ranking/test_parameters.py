"""The flat vector and the digest of the frozen part."""

import hashlib

import numpy as np
import pytest
import torch
from rankings import ranker
from torch import nn

from ranking.model.build import frozen_names, trainable_names
from ranking.parameters import flatten, frozen_digest, load_flat, module_digest, place
from ranking.settings import RANKINGS


def small():
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        layer.bias.copy_(torch.tensor([5.0, 6.0]))
    return layer


def test_parameters_stand_one_after_another_in_the_order_of_the_names():
    vector = flatten(small(), ("bias", "weight"))
    assert vector.tolist() == [5, 6, 1, 2, 3, 4]
    assert vector.dtype == np.float32


def test_no_name_gives_an_empty_vector():
    assert flatten(small(), ()).shape == (0,)


def test_the_vector_is_a_copy_and_loading_copies_too():
    layer = small()
    vector = flatten(layer, ("weight",))
    vector[:] = 0
    assert layer.weight[0, 0] == 1
    load_flat(layer, ("weight",), vector)
    vector[:] = 9
    assert layer.weight.eq(0).all()
    assert layer.bias.tolist() == [5, 6]


@pytest.mark.parametrize("trained", RANKINGS)
def test_a_ranker_survives_the_round_trip_bit_by_bit(trained):
    source, target = ranker(trained, seed=0), ranker(trained, seed=1)
    for names in (trainable_names(source, trained), frozen_names(source, trained)):
        load_flat(target, names, flatten(source, names))
    pairs = zip(source.parameters(), target.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


@pytest.mark.parametrize(
    "vector", [np.zeros(3, np.float32), np.zeros((2, 2), np.float32), np.zeros(4, np.float64)]
)
def test_a_vector_of_another_length_shape_or_type_is_refused_and_nothing_is_copied(vector):
    layer = small()
    with pytest.raises(ValueError, match="a float32 vector of 4 numbers"):
        load_flat(layer, ("weight",), vector)
    assert layer.weight[1, 1] == 4


def test_a_read_only_vector_of_another_stride_can_be_loaded():
    vector = np.arange(8, dtype=np.float32)[::2]
    vector.flags.writeable = False
    layer = small()
    load_flat(layer, ("weight",), vector)
    assert layer.weight.flatten().tolist() == [0, 2, 4, 6]


def test_the_digest_is_that_of_names_shapes_and_bytes():
    layer, vector = small(), np.array([5.0, 6.0], dtype=np.float32)
    expected = hashlib.sha256(b"bias[2]\n" + vector.tobytes()).hexdigest()
    assert frozen_digest(layer, ("bias",), vector) == expected


def test_the_digest_changes_with_a_name_a_shape_and_a_bit():
    layer, vector = small(), np.array([5.0, 6.0], dtype=np.float32)
    digest = frozen_digest(layer, ("bias",), vector)
    assert frozen_digest(nn.Linear(2, 2), ("bias",), vector) == digest
    flipped = np.nextafter(vector, np.float32(9))
    others = {
        frozen_digest(layer, ("weight",), vector),
        frozen_digest(nn.Linear(2, 3), ("bias",), vector),
        frozen_digest(layer, ("bias",), flipped),
    }
    assert digest not in others
    assert len(others) == 3


def test_the_digest_of_a_module_is_that_of_all_its_parameters_as_they_are():
    layer = small()
    vector = flatten(layer, ("weight", "bias"))
    assert module_digest(layer) == frozen_digest(layer, ("weight", "bias"), vector)
    with torch.no_grad():
        layer.bias[1] = 7
    assert module_digest(layer) != frozen_digest(layer, ("weight", "bias"), vector)


def test_a_module_is_where_its_parameters_are_and_here_without_any():
    assert place(nn.Linear(2, 2, device="meta")) == torch.device("meta")
    assert place(nn.GELU()) == place(small()) == torch.device("cpu")
