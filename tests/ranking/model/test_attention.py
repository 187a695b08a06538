"""Attention written out: as torch has it, with padding that nothing attends to."""

import math

import pytest
import torch
from torch import nn

from ranking.model.attention import VECTOR, Block, SelfAttention

WIDTH, HEADS = 8, 2
LENGTHS = [1, 5, VECTOR - 1, VECTOR, VECTOR + 4]
each_length = pytest.mark.parametrize("length", LENGTHS)


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def filled(module):
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            parameter.copy_(drawn(*parameter.shape, seed=number) / 2)
    return module


def attention():
    return filled(SelfAttention(WIDTH, heads=HEADS).double())


def torchs(own):
    """torch's own attention with the same weights."""
    other = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, dtype=torch.float64)
    layers = (own.query, own.key, own.value)
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.cat([layer.weight for layer in layers]))
        other.in_proj_bias.copy_(torch.cat([layer.bias for layer in layers]))
        other.out_proj.weight.copy_(own.output.weight)
        other.out_proj.bias.copy_(own.output.bias)
    return other


def last_is_padding(lists, length):
    where = torch.ones(lists, length, dtype=torch.bool)
    where[0, -1] = length == 1
    return where


@each_length
def test_attention_is_that_of_torch(length):
    own, items = attention(), drawn(3, length, WIDTH, seed=9)
    where = last_is_padding(3, length)
    expected, _ = torchs(own)(items, items, items, key_padding_mask=~where)
    torch.testing.assert_close(own(items, where=where)[where], expected[where])
    whole, _ = torchs(own)(items, items, items)
    torch.testing.assert_close(own(items), whole)


@each_length
@pytest.mark.parametrize(
    "module", [attention, lambda: filled(Block(WIDTH, heads=HEADS).double())]
)
def test_no_item_sees_what_is_in_padding(module, length):
    made, items = module(), drawn(2, length, WIDTH, seed=9)
    where = last_is_padding(2, length)
    changed = items.masked_fill(~where.unsqueeze(-1), 1e6)
    torch.testing.assert_close(
        made(changed, where=where)[where], made(items, where=where)[where], rtol=0, atol=0
    )


@each_length
def test_a_list_of_padding_alone_is_finite_forward_and_backward(length):
    own, items = attention(), drawn(2, length, WIDTH).requires_grad_()
    where = torch.zeros(2, length, dtype=torch.bool)
    own(items, where=where).sum().backward()
    assert own(items, where=where).isfinite().all()
    assert items.grad.isfinite().all()


@pytest.mark.parametrize("length", [5, VECTOR])
def test_logits_far_apart_neither_overflow_nor_vanish(length):
    """Queries and keys in the thousands: the softmax takes the largest alone."""
    own = attention()
    items = 1e4 * drawn(1, length, WIDTH)
    assert own(items).isfinite().all()


def test_an_item_alone_is_its_own_value():
    own, item = attention(), drawn(1, 1, WIDTH)
    torch.testing.assert_close(own(item), own.output(own.value(item)))


def test_a_block_adds_attention_and_then_an_mlp_twice_as_wide():
    block, items = filled(Block(WIDTH, heads=HEADS).double()), drawn(2, 5, WIDTH)
    mixed = items + block.attention(block.attention_norm(items))
    torch.testing.assert_close(block(items), mixed + block.mlp(block.mlp_norm(mixed)))
    assert block.mlp[0].out_features == 2 * WIDTH


def test_heads_attend_apart():
    """Two items: with all weights the identity a head mixes by its own half of the features."""
    own = SelfAttention(2, heads=2).double()
    with torch.no_grad():
        for layer in (own.query, own.key, own.value, own.output):
            layer.weight.copy_(torch.eye(2))
            layer.bias.zero_()
    items = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]]).double()
    first = math.exp(1) / (math.exp(1) + 1)
    second = math.exp(4) / (math.exp(4) + 1)
    # logits of head 1 are (1, 0) and (0, 0), of head 2 (0, 0) and (0, 4)
    expected = torch.tensor([[[first, 1.0], [0.5, 2 * second]]]).double()
    torch.testing.assert_close(own(items), expected)
