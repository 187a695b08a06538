import dataclasses

import numpy as np
import pytest
import torch
from rankings import ranker, ranking

from client.engine import Examples
from ranking.model.build import trainable_names
from simulations.evaluation import personal as personal_module
from simulations.evaluation.judge import Judge
from simulations.evaluation.personal import STRENGTHS, personal_figures


@pytest.fixture
def judge(held_out_of):
    gains = [[3.0, 0.0, 1.0], [0.0, 0.0, 3.0], [1.0, 3.0, 0.0], [3.0, 0.0, 0.0]]
    plain = held_out_of(gains, owners=[0, 1, 2, 3], devices=range(4))
    pixels = np.random.default_rng(0).integers(0, 256, plain.pixels.shape, np.uint8)
    held_out = dataclasses.replace(plain, pixels=pixels)
    model = ranker("taste", seed=2)
    return Judge(
        model,
        trainable_names(model, "taste"),
        held_out,
        loss="softmax",
        frozen_encoder=True,
    )


def nothing(judge):
    shape = (0, 3, judge.ranker.list_ranker.readings)
    return Examples(
        inputs=torch.zeros(shape),
        gains=torch.zeros(shape[:2]),
        where=torch.zeros(shape[:2], dtype=torch.bool),
        numbers=torch.arange(0),
    )


def test_devices_without_moments_are_judged_by_the_federated_weights(judge):
    federated = judge.figures(judge.start)
    own = personal_figures(judge, ranking("taste"), [nothing(judge)] * 4, released=judge.start)
    assert np.array_equal(own.ndcg[1], federated.ndcg[1])
    assert own.loss == pytest.approx(federated.loss, abs=1e-6)


def test_the_strength_of_one_half_is_chosen_by_the_other(judge, monkeypatch):
    """Each strength s gives every list of an even device the scores s, s, s and of an odd one
    the right order, better the larger s is: even devices take the largest, for the odd ones say
    so; the odd ones are indifferent and take the first, the weakest."""

    def fitted(model, _, own, *, start, strength):
        return np.full_like(start, strength)

    def scored(judge, mine):
        index = int(mine.nonzero()[0, 0])
        strength = float(judge.ranker.list_ranker.token.weight.detach()[0, 0])
        best = judge.held_out.expected[index].argmax()
        right = np.arange(3) == best
        return (right * strength if index % 2 else np.zeros(3))[None]

    monkeypatch.setattr(personal_module, "personal", fitted)
    monkeypatch.setattr(personal_module, "_scores", scored)
    chosen = []
    original = personal_module._best
    monkeypatch.setattr(
        personal_module,
        "_best",
        lambda losses: chosen.append(original(losses)) or chosen[-1],
    )
    personal_figures(judge, ranking("taste"), [nothing(judge)] * 4, released=judge.start)
    assert chosen[1] == 0
    assert chosen[0] > 0


def test_the_judge_holds_the_released_weights_afterwards(judge):
    released = judge.start + np.float32(0.5)
    personal_figures(judge, ranking("taste"), [nothing(judge)] * 4, released=released)
    assert judge.ranker.list_ranker.token.weight.detach().numpy().ravel() == pytest.approx(
        released
    )


def test_without_another_half_the_strongest_prior_is_taken():
    assert personal_module._best(np.zeros((len(STRENGTHS), 0))) == len(STRENGTHS) - 1
