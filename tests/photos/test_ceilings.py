"""The named orders and what separates them."""

from dataclasses import replace

import numpy as np
import pytest

from photos.ceilings import ceiling_scores
from photos.settings import Photos
from photos.synthetic import library, private_owner

PHOTOS = Photos(
    source="synthetic",
    root=None,
    devices=10,
    held_out_devices=2,
    held_out_share=0.2,
    side=16,
    taste=0,
    taste_cosine=0.7,
    taste_flips=6,
    context_preference=1,
)
CONTROL = replace(PHOTOS, taste_cosine=1, taste_flips=0, context_preference=0)
DEVICES = 120


def _best_shot(scores: np.ndarray, gains: np.ndarray) -> float:
    """NDCG@1 with ties averaged."""
    return float(gains[scores == scores.max()].mean() / gains.max())


def _figures(photos: Photos) -> dict[str, float]:
    """Mean NDCG@1 over moments, then devices."""
    by_device = []
    for device in range(DEVICES):
        scores = ceiling_scores(photos, seed=3, device=device)
        scores["own utility"] = _own_utility(photos, device)
        gains = scores["Bayes"]
        by_device.append(
            {name: np.mean(list(map(_best_shot, one, gains))) for name, one in scores.items()}
        )
    return {name: np.mean([one[name] for one in by_device]) for name in by_device[0]}


def _own_utility(photos: Photos, device: int) -> tuple[np.ndarray, ...]:
    owner = private_owner(photos, seed=3, device=device)
    own = owner.taste.own_utility(owner.roll)
    return tuple(own[owner.roll.moment_of == m] for m in range(owner.roll.moments))


@pytest.fixture(scope="module")
def shifted() -> dict[str, float]:
    return _figures(PHOTOS)


@pytest.fixture(scope="module")
def control() -> dict[str, float]:
    return _figures(CONTROL)


def test_there_is_one_score_for_each_photo_and_bayes_is_the_expected_gain():
    made = library(PHOTOS, seed=3, device=11)
    scores = ceiling_scores(PHOTOS, seed=3, device=11)
    for values in scores.values():
        sizes = [len(moment.photos) for moment in made.moments]
        assert [len(one) for one in values] == sizes
    for moment, bayes in zip(made.moments, scores["Bayes"], strict=True):
        np.testing.assert_array_equal(bayes, moment.expected_gain)


def test_the_orders_are_ordered(shifted):
    assert shifted["random"] < shifted["public taste"] < shifted["global taste"]
    assert shifted["public taste"] < shifted["univariate oracle"]
    assert shifted["global taste"] < shifted["Bayes"] == 1
    assert shifted["chronological"] == pytest.approx(shifted["random"], abs=0.06)


def test_the_moment_is_worth_5_points_that_no_photo_shows_by_itself(shifted):
    assert shifted["Bayes"] - shifted["univariate oracle"] > 0.05


def test_the_univariate_oracle_knows_more_than_the_owners_liking_of_each_photo(shifted):
    assert shifted["univariate oracle"] > shifted["own utility"]


def test_private_data_are_worth_much_where_tastes_differ(shifted):
    assert shifted["global taste"] - shifted["public taste"] > 0.1


def test_in_the_control_the_public_taste_is_the_global_one(control):
    assert control["public taste"] == control["global taste"]
    assert control["univariate oracle"] == control["own utility"]


def test_chronological_puts_the_first_photo_first_and_random_prefers_none():
    scores = ceiling_scores(PHOTOS, seed=0, device=0)
    for chronological, random in zip(scores["chronological"], scores["random"], strict=True):
        assert (np.diff(chronological) < 0).all()
        assert np.ptp(random) == 0
