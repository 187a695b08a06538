"""Adapters that begin as nothing, and weights that find their way under them."""

import pytest
import torch
from torch import nn

from ranking.model.lora import AdaptedLinear, adapt, is_adapter, under_adapters


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def plain():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Linear(3, 5), nn.GELU(), nn.ModuleDict({"last": nn.Linear(5, 2, bias=False)})
        )


def adapted(rank=4, seed=0):
    module = plain()
    adapt(module, generator=generator(seed), rank=rank)
    return module


def test_an_adapter_adds_the_product_of_two_thin_layers():
    """W x + b is (3, 7) + 1 at x = (1, 1), and up (down x) is (2, -1) · (1 + 2)."""
    base = nn.Linear(2, 2)
    with torch.no_grad():
        base.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        base.bias.fill_(1)
        layer = AdaptedLinear(base, rank=1)
        layer.down.weight.copy_(torch.tensor([[1.0, 2.0]]))
        layer.up.weight.copy_(torch.tensor([[2.0], [-1.0]]))
    assert layer(torch.ones(2)).tolist() == [4 + 6, 8 - 3]


def test_every_linear_layer_is_adapted_however_deep_and_the_function_stays():
    before, after = plain(), adapted()
    assert isinstance(after[0], AdaptedLinear)
    assert isinstance(after[2]["last"], AdaptedLinear)
    assert isinstance(after[1], nn.GELU)
    assert torch.equal(after[0].base.weight, before[0].weight)
    assert after[0].up.weight.eq(0).all()
    inputs = torch.randn(4, 3, generator=generator(1))
    assert torch.equal(after[0](inputs), before[0](inputs))


@pytest.mark.parametrize("rank", [1, 7])
def test_adapters_are_as_wide_as_is_asked(rank):
    layer = adapted(rank=rank)[0]
    assert (layer.down.weight.shape, layer.up.weight.shape) == ((rank, 3), (5, rank))


def test_thin_layers_follow_from_the_generator_alone():
    state = torch.get_rng_state()
    one, again, other = adapted(seed=1), adapted(seed=1), adapted(seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one[0].down.weight, again[0].down.weight)
    assert not torch.equal(one[0].down.weight, other[0].down.weight)


def test_plain_weights_are_found_under_the_names_of_adapted_layers():
    before, after = plain().state_dict(), adapted(seed=1).state_dict()
    found = under_adapters(before, after)
    assert set(found) == set(after)
    assert torch.equal(found["0.base.weight"], before["0.weight"])
    assert torch.equal(found["2.last.base.weight"], before["2.last.weight"])
    assert torch.equal(found["0.down.weight"], after["0.down.weight"])


def test_plain_weights_stay_as_they_are_for_a_plain_module():
    before = plain().state_dict()
    assert under_adapters(before, plain().state_dict()).keys() == before.keys()


def test_only_thin_layers_are_adapters():
    names = [name for name, _ in adapted().named_parameters()]
    assert [name for name in names if is_adapter(name)] == [
        "0.down.weight",
        "0.up.weight",
        "2.last.down.weight",
        "2.last.up.weight",
    ]
