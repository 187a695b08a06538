import numpy as np
import pytest
import torch
from rankings import ranker

from ranking.model.build import trainable_names
from simulations.configuration.hydra_bridge import compose
from simulations.evaluation.judge import Judge
from simulations.runs.run import population

WORDS = ("photos.devices=2", "photos.held_out_devices=2", "photos.side=16", "server.cohort=2")


@pytest.fixture(scope="module")
def held_out():
    config = compose(WORDS)
    return population(config.photos, config.seed)[1]


def judge(held_out, trained):
    made = ranker(trained)
    names = trainable_names(made, trained)
    frozen = trained != "all"
    return Judge(made, names, held_out, loss="softmax", frozen_encoder=frozen)


@pytest.mark.parametrize("trained", ["taste", "head", "all"])
def test_figures_are_of_the_parameters_alone_whatever_was_judged_before(held_out, trained):
    mine = judge(held_out, trained)
    before = mine.figures(mine.start).loss
    moved = mine.start + np.random.default_rng(0).normal(0, 0.1, mine.start.size)
    assert not np.array_equal(before, mine.figures(moved.astype(np.float32)).loss)
    assert np.array_equal(before, mine.figures(mine.start).loss)


def test_the_embeddings_follow_the_encoder_where_it_is_trained(held_out):
    mine = judge(held_out, "all")
    start = mine.embeddings
    mine.figures(mine.start * np.float32(2))
    assert not torch.equal(mine.embeddings, start)
    mine.figures(mine.start)
    assert torch.equal(mine.embeddings, start)
