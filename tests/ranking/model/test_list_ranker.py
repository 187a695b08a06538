"""Scores of a moment: the sum of three products, and no trace of padding."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from rankings import LIST, ranker
from torch import Tensor

from ranking.model.list_ranker import ListRanker
from ranking.sizes import Probes

WIDTH = 64
PROBES = Probes(kind="probes", own=10, scenes=8)
each_kind = pytest.mark.parametrize("sizes", [LIST, replace(LIST, context=0), PROBES])


def built(**changes: Any) -> ListRanker:
    """A list ranker whose every parameter matters: random biases and tastes too."""
    generator = torch.Generator().manual_seed(0)
    made = ranker("head", **changes).list_ranker
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return made.double()


def embedded(lists: int, photos: int) -> Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(lists, photos, WIDTH, generator=generator, dtype=torch.float64)


def all_there(lists: int, photos: int) -> Tensor:
    return torch.ones(lists, photos, dtype=torch.bool)


def test_the_score_is_the_sum_of_three_products_worked_by_hand():
    """Two own features and one of context, two scenes, an embedding of two numbers.

    Features (2, 3, 5) · (1, 10, 100) are 532. Own features times scenes are
    (2 · ¼, 2 · ¾, 3 · ¼, 3 · ¾), which (4, 8, 12, 16) weigh as 2 + 12 + 9 + 36 = 59. The
    embedding (7, −1) · (1000, 2000) is 5,000.
    """
    own = ListRanker(Probes(kind="probes", own=2, scenes=2), width=2)
    with torch.no_grad():
        own.token.weight.copy_(torch.tensor([[1.0, 10.0, 100.0]]))
        own.scene_token.weight.copy_(torch.tensor([[4.0, 8.0, 12.0, 16.0]]))
        own.taste.weight.copy_(torch.tensor([[1000.0, 2000.0]]))
    readings = torch.tensor([[[2.0, 3.0, 5.0, 0.25, 0.75, 7.0, -1.0]]])
    assert own.readings == 7
    assert own.score(readings).tolist() == [[532 + 59 + 5000]]


@each_kind
def test_what_is_read_are_the_features_how_likely_each_scene_is_and_the_embedding(sizes):
    own, embeddings, where = built(list=sizes), embedded(3, 4), all_there(3, 4)
    features, logits = own.reader(embeddings, where=where)
    read = own.read(embeddings, where=where)
    assert read.shape[-1] == own.readings == sizes.features + 8 + WIDTH
    found, likely, photos = read.split([sizes.features, 8, WIDTH], -1)
    assert torch.equal(found, features)
    assert torch.equal(photos, embeddings)
    torch.testing.assert_close(likely.sum(-1), torch.ones(3, 4, dtype=torch.float64))
    for photo in range(4):
        torch.testing.assert_close(likely[:, photo], logits.softmax(-1))


@each_kind
def test_scoring_is_reading_and_then_weighing(sizes):
    own, embeddings, where = built(list=sizes), embedded(2, 3), all_there(2, 3)
    expected = own.score(own.read(embeddings, where=where))
    assert torch.equal(own(embeddings, where=where), expected)


@each_kind
def test_without_context_the_features_among_the_others_are_zero_and_nothing_else_changes(sizes):
    embeddings, where = embedded(3, 4), all_there(3, 4)
    with_it, without = (
        built(list=sizes, context=context).read(embeddings, where=where)
        for context in (True, False)
    )
    among = slice(sizes.own, sizes.features)
    assert not without[..., among].any()
    assert with_it[..., among].all()
    with_it[..., among] = 0
    assert torch.equal(without, with_it)


@each_kind
@pytest.mark.parametrize("junk", [0.0, 7.0, math.nan])
def test_padding_changes_no_score_whatever_it_holds(sizes, junk):
    own, embeddings = built(list=sizes), embedded(4, 5)
    where = torch.arange(5) < torch.tensor([5, 3, 2, 5])[:, None]
    scores = own(embeddings, where=where)
    filled = embeddings.masked_fill(~where.unsqueeze(-1), junk)
    torch.testing.assert_close(own(filled, where=where)[where], scores[where], rtol=0, atol=0)
    short = own(embeddings[1:2, :3], where=where[1:2, :3])
    torch.testing.assert_close(short[0], scores[1, :3])


@each_kind
def test_of_padding_nothing_is_read(sizes):
    own, embeddings = built(list=sizes), embedded(2, 4)
    where = torch.tensor([[True, True, False, False], [False] * 4])
    read = own.read(embeddings, where=where)
    assert not read[~where].any()
    assert read[where].any(-1).all()


@each_kind
def test_padding_has_scores_that_are_finite_and_changes_no_gradient(sizes):
    own, embeddings = built(list=sizes), embedded(2, 4)
    embeddings[0, 3] = math.nan
    embeddings.requires_grad_()
    where = torch.tensor([[True, True, True, False], [False] * 4])
    scores = own(embeddings, where=where)
    scores.sum().backward()
    assert scores.isfinite().all()
    assert (embeddings.grad[~where] == 0).all()
    gradients = [parameter.grad for parameter in own.parameters()]
    assert all(one is not None and one.isfinite().all() for one in gradients)


def test_the_taste_is_one_weight_for_each_number_of_the_embedding():
    own, embeddings, where = built(), embedded(3, 4), all_there(3, 4)
    before = own(embeddings, where=where)
    with torch.no_grad():
        own.taste.weight[0, 5] += 2
    torch.testing.assert_close(own(embeddings, where=where) - before, 2 * embeddings[..., 5])


def test_a_scene_that_is_certain_weighs_a_feature_by_its_own_weight_alone():
    """Own feature 1 in scene 2 is weight 1 · 8 + 2 of the token of scenes."""
    own, embeddings, where = built(), embedded(2, 3), all_there(2, 3)
    with torch.no_grad():
        own.reader.scene.weight.zero_()
        own.reader.scene.bias.copy_(200.0 * torch.eye(8)[2])
    before = own(embeddings, where=where)
    with torch.no_grad():
        own.scene_token.weight[0, 1 * 8 + 2] += 3
        own.scene_token.weight[0, 1 * 8 + 4] += 500
    feature = own.read(embeddings, where=where)[..., 1]
    torch.testing.assert_close(own(embeddings, where=where) - before, 3 * feature)


def test_other_photos_of_the_moment_change_what_is_read_and_other_moments_do_not():
    own, embeddings, where = built(), embedded(2, 4), all_there(2, 4)
    changed = embeddings.clone()
    changed[0, 1] = 0
    seen, then = (own.read(one, where=where) for one in (embeddings, changed))
    features = LIST.features
    assert (seen[0, :, :features] != then[0, :, :features]).any(-1).all()
    assert torch.equal(seen[1], then[1])
