"""Scores of a moment: what stands in padding, what the taste adds, and what a photo sees."""

import math

import pytest
import torch

from ranking.model.build import build_ranker
from ranking.model.encoder import EMBEDDING


def built(*, seed=0):
    """A list ranker whose every parameter matters: random biases and taste too."""
    generator = torch.Generator().manual_seed(seed)
    ranker = build_ranker("head", generator=generator).list_ranker
    with torch.no_grad():
        for parameter in ranker.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return ranker.double()


def embedded(lists, photos):
    generator = torch.Generator().manual_seed(7)
    return torch.randn(lists, photos, EMBEDDING, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("junk", [0.0, 7.0, math.nan])
def test_padding_changes_no_score_whatever_it_holds(junk):
    ranker, embeddings = built(), embedded(4, 5)
    where = torch.arange(5) < torch.tensor([5, 3, 2, 5])[:, None]
    scores = ranker(embeddings, where=where)
    filled = embeddings.masked_fill(~where.unsqueeze(-1), junk)
    torch.testing.assert_close(
        ranker(filled, where=where)[where], scores[where], rtol=0, atol=0
    )
    short = ranker(embeddings[1:2, :3], where=where[1:2, :3])
    torch.testing.assert_close(short[0], scores[1, :3])


def test_padding_has_scores_that_are_finite_and_changes_no_gradient():
    ranker, embeddings = built(), embedded(2, 4)
    embeddings[0, 3] = math.nan
    embeddings.requires_grad_()
    where = torch.tensor([[True, True, True, False], [False] * 4])
    scores = ranker(embeddings, where=where)
    scores.sum().backward()
    assert scores.isfinite().all()
    assert (embeddings.grad[~where] == 0).all()
    assert all(parameter.grad.isfinite().all() for parameter in ranker.parameters())


def test_the_taste_is_one_weight_for_each_feature_added_to_the_score():
    ranker, embeddings = built(), embedded(3, 4)
    where = torch.ones(3, 4, dtype=torch.bool)
    before = ranker(embeddings, where=where)
    with torch.no_grad():
        ranker.taste.weight[0, 5] += 2
    after = ranker(embeddings, where=where)
    torch.testing.assert_close(after - before, 2 * embeddings[..., 5])


def test_a_photo_is_seen_among_its_moments_others_before_it_is_scored():
    ranker, embeddings = built(), embedded(2, 4)
    where = torch.ones(2, 4, dtype=torch.bool)
    changed = embeddings.clone()
    changed[0, 1] = 0
    seen, then = (ranker.context(one, where=where) for one in (embeddings, changed))
    assert seen.shape == (2, 4, EMBEDDING)
    assert (seen[0] != then[0]).any(-1).all()
    assert torch.equal(seen[1], then[1])
