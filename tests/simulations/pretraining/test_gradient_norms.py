"""Norms of one moment's gradient, by a closed form and by plain autograd."""

from dataclasses import fields, replace

import pytest
import torch

from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.parameters import module_digest
from simulations.configuration.hydra_bridge import compose
from simulations.pretraining import gradient_norms as module
from simulations.pretraining.gradient_norms import GRADIENTS, PARTS, RANK, gradient_norms
from simulations.pretraining.moments.embedded_moments import EmbeddedMoments


def first(embedded: EmbeddedMoments, *rows: int) -> EmbeddedMoments:
    names = [one.name for one in fields(embedded)]
    return replace(embedded, **{name: getattr(embedded, name)[list(rows)] for name in names})


@pytest.fixture(scope="module")
def worth(embedded):
    """Numbers of moments in which something was kept: the others have no gradient."""
    return (embedded.given.sum(1) > 0).nonzero()[:, 0].tolist()


@pytest.mark.parametrize("kind", ["transformer", "probes"])
def test_the_norm_of_weights_is_the_closed_form(drawn, little, probes, embedded, worth, kind):
    """The gradient of Σ −q log softmax(X w) is Xᵀ(p − q), X what the weights weigh."""
    changes = {"list": probes} if kind == "probes" else {}
    ranker, one = drawn(**changes), first(embedded, worth[0])
    own, there = ranker.list_ranker, one.where[0]
    with torch.no_grad():
        read = own.read(one.embeddings, where=one.where)[0][there].double()
        scores = own(one.embeddings, where=one.where)[0][there].double()
    gains = one.given[0][there].double()
    wrong = scores.softmax(0) - gains / gains.sum()
    features, likely, embedding = read.split([own.sizes.features, 8, 32], -1)
    by_scene = (features[:, :10, None] * likely[:, None]).flatten(1)
    expected = {
        "taste": (features.T @ wrong).norm(),
        "taste_scenes": (torch.cat([features, by_scene], -1).T @ wrong).norm(),
        "linear": (embedding.T @ wrong).norm(),
    }
    found = gradient_norms(ranker, little(**changes), one)
    assert {name: found[name] for name in expected} == pytest.approx(
        {name: float(norm) for name, norm in expected.items()}, rel=1e-4
    )


def test_the_norm_of_the_list_model_is_that_of_autograd(drawn, little, embedded, worth):
    ranker, one = drawn(), first(embedded, worth[1])
    scores = ranker.list_ranker(one.embeddings, where=one.where)
    LOSSES["softmax"](scores, one.given, where=one.where).sum().backward()
    names = trainable_names(ranker, "head")
    trained = [value.grad for name, value in ranker.named_parameters() if name in names]
    expected = torch.cat([gradient.flatten() for gradient in trained]).norm()
    found = gradient_norms(ranker, little(), one)["head"]
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_the_norm_of_several_moments_is_the_median_of_the_first(
    drawn, little, embedded, worth, monkeypatch
):
    monkeypatch.setattr(module, "GRADIENTS", 3)
    monkeypatch.setattr(module, "PARTS", ("taste",))
    ranker, rows = drawn(), worth[:4]
    alone = [gradient_norms(ranker, little(), first(embedded, row))["taste"] for row in rows]
    found = gradient_norms(ranker, little(), first(embedded, *rows))["taste"]
    assert found == pytest.approx(sorted(alone[:3])[1])


@pytest.mark.parametrize("trained", ["taste", "lora"])
def test_every_choice_that_needs_no_pixels_has_a_norm_and_the_ranker_stays(
    drawn, little, embedded, worth, trained
):
    """Adapters are untrained ones: their own beginning decides their norm."""
    ranker, before = drawn(), module_digest(drawn())
    settings = little(trained=trained)
    found = gradient_norms(ranker, settings, first(embedded, *worth[:2]))
    assert list(found) == list(PARTS) == ["taste", "taste_scenes", "linear", "head", "lora"]
    assert min(found.values()) > 0
    assert found["taste_scenes"] > found["taste"]
    assert module_digest(ranker) == before
    assert all(parameter.grad is None for parameter in ranker.parameters())
    assert GRADIENTS == 100


def test_gradients_are_taken_where_none_are_recorded_too(drawn, little, embedded, worth):
    with torch.no_grad():
        assert gradient_norms(drawn(), little(), first(embedded, worth[0]))["head"] > 0
        assert not torch.is_grad_enabled()


def test_the_adapters_are_of_the_rank_that_is_configured():
    assert compose(["ranking=lora", "ranking.weights=null"]).ranking.rank == RANK
