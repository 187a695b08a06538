"""The ranker before training: the same for whoever has the same settings and file."""

import pytest
import torch
from rankings import ranker, ranking

from ranking.initial import initial_ranker
from ranking.parameters import module_digest
from ranking.settings import Ranking
from ranking.weights import Origin, load_weights, public_weights_path, save_weights

RANDOM = ranking("head")
PUBLIC = ranking("head", weights="public")


def digest(of: Ranking, *, seed: int = 0) -> str:
    return module_digest(initial_ranker(of, seed=seed))


def test_random_weights_follow_from_the_seed_alone():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = digest(RANDOM)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert digest(RANDOM) == first != digest(RANDOM, seed=1)


def test_what_is_trained_by_which_loss_and_whether_context_counts_change_no_weight():
    for other in (ranking("all", loss="listmle"), ranking("taste", context=False)):
        assert digest(other, seed=5) == digest(RANDOM, seed=5)


def test_the_public_weights_are_those_of_the_file_whatever_the_seed():
    expected = ranker("head", seed=9)
    load_weights(expected, public_weights_path())
    assert digest(PUBLIC) == digest(PUBLIC, seed=1) == module_digest(expected)


def test_a_file_is_taken_by_its_path(tmp_path):
    path = tmp_path / "mine.safetensors"
    made = initial_ranker(RANDOM, seed=4)
    origin = Origin(seed=4, command="darkroom simulate", ranking=RANDOM, side=48)
    save_weights(made, path, origin=origin)
    assert digest(ranking("head", weights=str(path)), seed=1) == module_digest(made)


def test_a_file_that_is_not_there_is_refused_with_the_way_out(tmp_path):
    missing = ranking("head", weights=str(tmp_path / "none.safetensors"))
    with pytest.raises(ValueError, match=r"none\.safetensors is missing: set ranking\.weights"):
        initial_ranker(missing, seed=0)
