"""Which parameters exist, which are trained, and that no global draw decides them."""

import pytest
import torch
from torch import nn

from ranking.model.build import build_ranker, frozen_names, trainable_names
from ranking.parameters import flatten

CHOICES = ("linear", "head", "lora", "all")
each_choice = pytest.mark.parametrize("trained", CHOICES)
LEAVES = (nn.Linear, nn.Conv2d, nn.LayerNorm, nn.GroupNorm)


def built(trained, *, seed=0):
    return build_ranker(trained, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("trained", "count"), [("linear", 64), ("head", 35_713), ("lora", 4_001), ("all", 126_881)]
)
def test_each_choice_trains_as_many_parameters_as_the_documentation_says(trained, count):
    ranker = built(trained)
    assert flatten(ranker, trainable_names(ranker, trained)).size == count


@each_choice
def test_every_parameter_is_either_trained_or_frozen(trained):
    ranker = built(trained)
    names = [name for name, _ in ranker.named_parameters()]
    chosen, frozen = trainable_names(ranker, trained), frozen_names(ranker, trained)
    assert sorted(chosen + frozen) == sorted(names)
    assert list(chosen) == [name for name in names if name in chosen]


@each_choice
def test_only_leaf_layers_that_opacus_knows_own_parameters(trained):
    for module in built(trained).modules():
        if list(module.parameters(recurse=False)):
            assert type(module) in LEAVES
        assert not list(module.buffers(recurse=False))
        assert not isinstance(module, nn.Dropout | nn.MultiheadAttention)


def test_the_taste_begins_at_zero_and_is_trained_by_linear_alone():
    ranker = built("linear")
    assert ranker.list_ranker.taste.weight.eq(0).all()
    assert trainable_names(ranker, "linear") == ("list_ranker.taste.weight",)
    for trained in ("head", "lora", "all"):
        assert "list_ranker.taste.weight" in frozen_names(built(trained), trained)


def test_adapters_do_not_change_the_function_before_they_are_trained():
    embeddings = torch.randn(3, 4, 64, generator=torch.Generator().manual_seed(1))
    where = torch.ones(3, 4, dtype=torch.bool)
    plain, adapted = built("head").list_ranker, built("lora").list_ranker
    expected = plain(embeddings, where=where)
    torch.testing.assert_close(adapted(embeddings, where=where), expected, rtol=0, atol=0)


def test_an_adapter_is_as_wide_as_its_rank():
    query = built("lora").list_ranker.block.attention.query
    assert query.down.weight.shape == (4, 64)
    assert query.up.weight.shape == (64, 4)


def test_the_weights_follow_from_the_generator_and_not_from_the_global_one():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = built("lora", seed=5).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = built("lora", seed=5).state_dict(), built("lora", seed=6).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder.stem.0.weight"], other["encoder.stem.0.weight"])
