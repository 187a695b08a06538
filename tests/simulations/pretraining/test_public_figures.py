"""The figures of the public ranker, on tensors of which each is known."""

import numpy as np
import pytest
import torch

from photos.synthetic.attributes import NAMES
from ranking.model.build import build_ranker
from simulations.pretraining.public_figures import (
    PARTS,
    PublicFigures,
    _explained,
    _normalised,
    public_figures,
)


@pytest.fixture(scope="module")
def ranker():
    return build_ranker("head", generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def figures(ranker, moments):
    return public_figures(ranker, moments)


def test_the_figures_name_every_attribute_and_every_part(figures):
    assert -1 < figures.ndcg < 1
    assert len(figures.explained) == 10
    assert set(figures.norms) == {"linear", "head", "lora", "all"}
    assert all(norm > 0 for norm in figures.norms.values())
    assert len(list(figures.lines())) == 3


def test_a_part_that_holds_another_has_no_smaller_gradients(figures):
    norms = figures.norms
    assert list(norms) == list(PARTS)
    assert norms["head"] <= norms["all"]


def test_judging_leaves_the_ranker_and_gradients_as_they_were(ranker, figures):
    before = build_ranker("head", generator=torch.Generator().manual_seed(0)).state_dict()
    assert all(torch.equal(before[name], value) for name, value in ranker.state_dict().items())
    assert all(value.grad is None for value in ranker.parameters())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(("sign", "worth"), [(1, 1.0), (0, 0.0)])
def test_the_best_order_is_worth_1_and_one_without_a_difference_0(moments, sign, worth):
    class Knowing:
        def list_ranker(self, embeddings, *, where):
            return sign * moments.gains

    found = _normalised(Knowing(), torch.zeros(len(moments.where), 12, 64), moments)
    assert found == pytest.approx(worth, abs=1e-6)


def test_what_a_linear_map_of_the_embedding_gives_is_explained_and_noise_is_not():
    draws = np.random.default_rng(0)
    embeddings = torch.from_numpy(draws.normal(size=(4000, 3)))
    facts = torch.from_numpy(draws.normal(size=(4000, len(NAMES))))
    facts[:, 0] = embeddings @ torch.tensor([1.0, -2.0, 0.5]).double() + 7
    # Half of its variance is of the embedding.
    facts[:, 1] = embeddings[:, 0] + facts[:, 1]
    found = list(_explained(embeddings, facts).values())
    assert found[0] == pytest.approx(1.0)
    # 2,000 photos: the deviation of a share of one half is about 0.02.
    assert found[1] == pytest.approx(0.5, abs=0.08)
    assert found[2] == pytest.approx(0.0, abs=0.01)


def test_the_figures_are_printed_with_two_or_three_decimals():
    figures = PublicFigures(ndcg=0.51249, explained={"a": 0.5}, norms={"x": 1.005, "y": 2.0})
    assert list(figures.lines()) == [
        "oracle-normalised NDCG@1 on public devices that were held out: 0.512",
        "variance explained: a 0.50",
        f"median gradient norm of a moment: x {1.005:.2f}, y 2.00",
    ]
