"""The losses against slow references written photo by photo, and against their own promises."""

import math
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import grad, vmap

from ranking.losses.registry import LOSSES
from ranking.settings import Ranking

POINTWISE = {"bce", "mse"}
NEEDS_A_GAIN = {"softmax", "ranknet", "listmle", "approx_ndcg", "lambdarank", "neural_ndcg"}
NEEDS_TWO_PHOTOS = set(LOSSES) - POINTWISE


def log_sum_exp(values):
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))


def dcg(gains):
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def ideal(gains):
    return dcg(sorted(gains, reverse=True))


def softmax(scores, gains):
    total, everything = sum(gains), log_sum_exp(scores)
    pairs = zip(scores, gains, strict=True)
    return sum(-g / total * (s - everything) for s, g in pairs) if total else 0.0


def listnet(scores, gains):
    wanted, everything = log_sum_exp(gains), log_sum_exp(scores)
    return sum(
        -math.exp(g - wanted) * (s - everything) for s, g in zip(scores, gains, strict=True)
    )


def listmle(scores, gains):
    total = 0.0
    for score, gain in zip(scores, gains, strict=True):
        if gain > min(gains):
            choice = [s for s, g in zip(scores, gains, strict=True) if g <= gain]
            total += log_sum_exp(choice) - score
    return total / len(scores)


def better_pairs(gains):
    photos = range(len(gains))
    return [(i, j) for i in photos for j in photos if gains[i] > gains[j]]


def ranknet(scores, gains):
    losses = [math.log1p(math.exp(scores[j] - scores[i])) for i, j in better_pairs(gains)]
    return sum(losses) / len(losses) if losses else 0.0


def lambdarank(scores, gains):
    def worth(i):
        above = sum(s > scores[i] for s in scores)
        level = sum(s == scores[i] for s in scores)
        return 1 / math.log2(1 + above + (level + 1) / 2)

    return sum(
        (gains[i] - gains[j])
        * abs(worth(i) - worth(j))
        / ideal(gains)
        * math.log1p(math.exp(scores[j] - scores[i]))
        for i, j in better_pairs(gains)
    )


def approx_ndcg(scores, gains):
    if not ideal(gains):
        return 0.0
    reached = 0.0
    for i, gain in enumerate(gains):
        others = [s for j, s in enumerate(scores) if j != i]
        rank = 1 + sum(1 / (1 + math.exp(scores[i] - s)) for s in others)
        reached += gain / math.log2(1 + rank)
    return 1 - reached / ideal(gains)


def neural_ndcg(scores, gains):
    if not ideal(gains):
        return 0.0
    count, scores = len(scores), np.array(scores)
    spread = np.abs(scores[:, None] - scores[None, :]).sum(1)
    rows = []
    for place in range(1, count + 1):
        logits = (count + 1 - 2 * place) * scores - spread
        rows.append(np.exp(logits - log_sum_exp(list(logits))))
    sorting = np.array(rows)
    for _ in range(20):
        sorting = sorting / sorting.sum(0, keepdims=True)
        sorting = sorting / sorting.sum(1, keepdims=True)
    return 1 - dcg(sorting @ np.array(gains)) / ideal(gains)


def bce(scores, gains):
    losses = [
        math.log1p(math.exp(-abs(s))) + max(s, 0) - s * g / 3
        for s, g in zip(scores, gains, strict=True)
    ]
    return sum(losses) / len(losses)


def mse(scores, gains):
    return sum((s - g) ** 2 for s, g in zip(scores, gains, strict=True)) / len(scores)


REFERENCES = {
    function.__name__: function
    for function in (
        softmax,
        ranknet,
        listnet,
        listmle,
        approx_ndcg,
        lambdarank,
        neural_ndcg,
        bce,
        mse,
    )
}

photo = st.tuples(st.integers(-12, 12).map(lambda n: n / 4), st.sampled_from([0.0, 1.0, 3.0]))
moments = st.lists(photo, min_size=1, max_size=7)
each_loss = pytest.mark.parametrize("name", sorted(LOSSES))
few = settings(deadline=None, max_examples=40, derandomize=True)


def tensors(moment):
    scores, gains = (torch.tensor(column, dtype=torch.float64) for column in zip(*moment))  # noqa: B905
    return scores, gains, torch.ones(len(moment), dtype=torch.bool)


def value_and_gradient(name, scores, gains, where):
    scores = scores.clone().requires_grad_()
    value = LOSSES[name](scores, gains, where=where)
    (gradient,) = torch.autograd.grad(value.sum(), scores)
    return value.detach(), gradient


def test_every_name_of_the_settings_has_a_loss_and_a_reference():
    assert set(get_args(get_type_hints(Ranking)["loss"])) == set(LOSSES) == set(REFERENCES)


@each_loss
@few
@given(moment=moments)
def test_a_loss_equals_its_slow_reference(name, moment):
    scores, gains, where = tensors(moment)
    expected = REFERENCES[name](scores.tolist(), gains.tolist())
    value = LOSSES[name](scores, gains, where=where)
    assert value.item() == pytest.approx(expected, abs=1e-9)
    assert value.item() >= -1e-9


@each_loss
@few
@given(moment=moments, shift=st.integers(-20, 20).filter(bool))
def test_only_the_pointwise_losses_notice_a_constant_added_to_the_scores(name, moment, shift):
    scores, gains, where = tensors(moment)
    value = LOSSES[name](scores, gains, where=where)
    shifted = LOSSES[name](scores + shift, gains, where=where)
    if name not in POINTWISE:
        torch.testing.assert_close(shifted, value, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted(POINTWISE))
def test_the_pointwise_losses_are_not_shift_invariant(name):
    scores, gains, where = tensors([(0.5, 3.0), (-0.5, 0.0)])
    value = LOSSES[name](scores, gains, where=where)
    assert not torch.isclose(LOSSES[name](scores + 1, gains, where=where), value)


@each_loss
@pytest.mark.parametrize("junk", [0.0, 1e6, math.nan, math.inf])
def test_padding_changes_neither_values_nor_gradients_whatever_it_holds(name, junk):
    scores, gains, where = tensors([(0.3, 1.0), (-1.0, 3.0), (0.3, 0.0)])
    value, gradient = value_and_gradient(name, scores, gains, where)
    padding = torch.full((2,), junk, dtype=torch.float64)
    padded = value_and_gradient(
        name,
        torch.cat([padding, scores]),
        torch.cat([padding, gains]),
        torch.tensor([False, False, True, True, True]),
    )
    torch.testing.assert_close(padded[0], value)
    torch.testing.assert_close(padded[1][2:], gradient)
    assert padded[1][:2].tolist() == [0, 0]


@each_loss
@few
@given(moment=moments, data=st.data())
def test_the_order_of_the_photos_does_not_matter(name, moment, data):
    order = data.draw(st.permutations(range(len(moment))))
    value, gradient = value_and_gradient(name, *tensors(moment))
    moved = value_and_gradient(name, *tensors([moment[i] for i in order]))
    torch.testing.assert_close(moved[0], value)
    torch.testing.assert_close(moved[1], gradient[list(order)])


@pytest.mark.parametrize("name", sorted(NEEDS_A_GAIN))
def test_a_moment_without_any_gain_has_no_loss_and_no_gradient(name):
    value, gradient = value_and_gradient(name, *tensors([(0.7, 0.0), (-0.1, 0.0), (2.0, 0.0)]))
    assert value.item() == 0
    assert gradient.tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["ranknet", "listmle", "lambdarank"])
def test_losses_of_order_have_nothing_to_say_where_all_photos_are_equally_good(name):
    value, gradient = value_and_gradient(name, *tensors([(0.7, 3.0), (-0.1, 3.0)]))
    assert value.item() == 0
    assert gradient.tolist() == [0, 0]


def test_listnet_asks_for_equal_scores_where_no_photo_has_a_gain():
    value, gradient = value_and_gradient("listnet", *tensors([(1.0, 0.0), (1.0, 0.0)]))
    assert value.item() == pytest.approx(math.log(2))
    assert gradient.tolist() == pytest.approx([0, 0], abs=1e-15)


@pytest.mark.parametrize("name", sorted(NEEDS_TWO_PHOTOS))
@pytest.mark.parametrize("gain", [0.0, 1.0, 3.0])
def test_a_moment_of_one_photo_has_no_loss_and_no_gradient(name, gain):
    scores = torch.tensor([9.0, 0.7, 9.0], dtype=torch.float64)
    gains = torch.tensor([3.0, gain, 1.0], dtype=torch.float64)
    where = torch.tensor([False, True, False])
    value, gradient = value_and_gradient(name, scores, gains, where)
    assert value.item() == pytest.approx(0, abs=0)
    assert gradient.tolist() == [0, 0, 0]


@each_loss
def test_a_list_of_padding_alone_has_no_loss_and_no_gradient(name):
    scores, gains, where = tensors([(0.3, 1.0), (-1.0, 3.0)])
    value, gradient = value_and_gradient(name, scores, gains, ~where)
    assert value.item() == 0
    assert gradient.tolist() == [0, 0]


@each_loss
def test_a_batch_gives_each_list_its_own_loss_and_vmap_each_its_own_gradient(name):
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(9, 6, generator=generator, dtype=torch.float64)
    gains = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    gains = gains[torch.randint(3, (9, 6), generator=generator)]
    where = torch.rand(9, 6, generator=generator) > 0.3

    def loss_of_one(score, gain, mask):
        return LOSSES[name](score, gain, where=mask)

    together = LOSSES[name](scores, gains, where=where)
    gradients = vmap(grad(loss_of_one))(scores, gains, where)
    for row in range(9):
        value, gradient = value_and_gradient(name, scores[row], gains[row], where[row])
        torch.testing.assert_close(together[row], value)
        torch.testing.assert_close(gradients[row], gradient)


@each_loss
def test_a_step_against_the_gradient_puts_the_favourite_first(name):
    moment = [(0.2, 0.0), (0.1, 3.0), (0.0, 1.0)]
    _, gradient = value_and_gradient(name, *tensors(moment))
    assert gradient[1] < gradient[0]


def test_the_softmax_loss_of_two_photos_worked_by_hand():
    value, gradient = value_and_gradient("softmax", *tensors([(0.0, 3.0), (0.0, 1.0)]))
    assert value.item() == pytest.approx(math.log(2))
    assert gradient.tolist() == pytest.approx([0.5 - 0.75, 0.5 - 0.25])


@each_loss
def test_large_scores_stay_finite_in_single_precision(name):
    scores = torch.tensor([80.0, -80.0, 0.0])
    gains, where = torch.tensor([0.0, 3.0, 1.0]), torch.ones(3, dtype=torch.bool)
    value, gradient = value_and_gradient(name, scores, gains, where)
    assert value.isfinite().all()
    assert gradient.isfinite().all()
