import math

import numpy as np
import pytest
import torch
from rankings import ranker as made

from client.engine import Examples
from client.evaluation import evaluate
from ranking.losses.registry import LOSSES


@pytest.fixture
def ranker():
    """Scores each photo by its first feature alone."""
    ranker = made("taste", seed=1)
    with torch.no_grad():
        ranker.list_ranker.token.weight.zero_()[0, 0] = 1
    return ranker


def lists(scores, gains):
    """Lists whose scores will be ``scores``; NaN is padding."""
    inputs = torch.zeros(*np.shape(scores), 105)
    inputs[..., 0] = torch.tensor(scores)
    return Examples(
        inputs=inputs,
        gains=torch.tensor(gains),
        where=~torch.tensor(scores).isnan(),
        numbers=torch.arange(len(scores)),
    )


def test_figures_are_means_over_the_lists_with_signal(ranker):
    examples = lists(
        [[0.0, 0.0, math.nan], [2.0, 1.0, 0.0], [1.0, 0.0, math.nan]],
        [[3.0, 0.0, 0.0], [1.0, 3.0, 0.0], [1.0, 1.0, 0.0]],
    )
    found = evaluate(ranker, examples, loss=LOSSES["softmax"], kept="readings")
    total = math.log(math.exp(2) + math.e + 1)
    second = 0.25 * (total - 2) + 0.75 * (total - 1)
    assert found == {
        "lists": 2.0,
        "loss": pytest.approx((math.log(2) + second) / 2),
        "ndcg@1": pytest.approx((0.5 + 1 / 3) / 2),
        "best-shot": pytest.approx((0.5 + 0.0) / 2),
    }


def test_without_a_list_with_signal_there_is_nothing_to_say(ranker):
    for examples in (lists(np.zeros((0, 0)), []), lists([[1.0, 0.0]], [[3.0, 3.0]])):
        assert evaluate(ranker, examples, loss=LOSSES["softmax"], kept="readings") == {
            "lists": 0.0
        }
