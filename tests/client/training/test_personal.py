import numpy as np
import pytest
import torch
from rankings import ranker, ranking

from client.engine import Examples
from client.training.personal import personal
from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.parameters import flatten


def own_moments(readings, gains):
    where = torch.ones(gains.shape, dtype=torch.bool)
    return Examples(inputs=readings, gains=gains, where=where, numbers=torch.arange(len(gains)))


@pytest.fixture
def token_ranker():
    return ranker("taste", seed=1)


@pytest.fixture
def moments(token_ranker):
    draws = torch.Generator().manual_seed(0)
    readings = torch.randn(4, 5, token_ranker.list_ranker.readings, generator=draws)
    return own_moments(readings, torch.randint(0, 4, (4, 5), generator=draws).float())


def start_of(model, trained="taste"):
    return flatten(model, trainable_names(model, trained))


@pytest.mark.parametrize("strength", [0.5, 3.0, 30.0])
def test_the_fitted_weights_leave_no_slope_of_loss_and_prior(token_ranker, moments, strength):
    start = start_of(token_ranker)
    own = personal(token_ranker, ranking("taste"), moments, start=start, strength=strength)
    token = token_ranker.list_ranker.token.weight.requires_grad_(True)
    scores = token_ranker.list_ranker.score(moments.inputs)
    loss = LOSSES["softmax"](scores, moments.gains, where=moments.where).sum()
    (slope,) = torch.autograd.grad(loss, token)
    pull = strength * (own - start)
    assert slope.detach().numpy().ravel() == pytest.approx(-pull, abs=2e-3)


def test_a_stronger_prior_keeps_a_device_nearer_to_the_federation(token_ranker, moments):
    start = start_of(token_ranker)
    away = [
        np.linalg.norm(
            personal(token_ranker, ranking("taste"), moments, start=start, strength=strength)
            - start
        )
        for strength in (1.0, 10.0, 100.0, 1e6)
    ]
    assert away == sorted(away, reverse=True)
    assert away[0] > 0.1
    assert away[-1] < 1e-4


def test_a_device_without_moments_keeps_what_was_federated(token_ranker, moments):
    start = start_of(token_ranker)
    nothing = own_moments(moments.inputs[:0], moments.gains[:0])
    own = personal(token_ranker, ranking("taste"), nothing, start=start, strength=3.0)
    assert np.array_equal(own, start)


def test_nothing_but_the_trained_weights_changes(token_ranker, moments):
    before = {name: value.clone() for name, value in token_ranker.state_dict().items()}
    start = start_of(token_ranker)
    personal(token_ranker, ranking("taste"), moments, start=start, strength=3.0)
    changed = [
        name
        for name, value in token_ranker.state_dict().items()
        if not torch.equal(value, before[name])
    ]
    assert changed == ["list_ranker.token.weight"]


def test_a_model_of_many_weights_is_not_fitted_on_one_device(moments):
    model = ranker("head")
    with pytest.raises(ValueError, match="ranking=head trains more than weights of readings"):
        personal(
            model,
            ranking("head"),
            moments,
            start=start_of(model, "head"),
            strength=3.0,
        )
