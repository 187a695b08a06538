"""The named orders and what separates them."""

from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
import yaml

from photos.synthetic.ceilings import ceiling_scores
from photos.synthetic.owner import private_owner
from photos.synthetic.population import library
from photos.synthetic.settings import SyntheticPhotos
from ranking.metrics.ndcg import ndcg, oracle_normalised, random_ndcg

PHOTOS = SyntheticPhotos(
    **yaml.safe_load((files("conf") / "photos" / "synthetic.yaml").read_text())
)
CONTROL = replace(PHOTOS, taste_cosine=1, taste_flips=0, context_preference=0)
DEVICES = 160
LONGEST = 12


def _padded(lists: list[np.ndarray]) -> np.ndarray:
    return np.array([np.pad(one, (0, LONGEST - len(one))) for one in lists])


@cache
def _scores(photos: SyntheticPhotos) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """[moments, 12] of every order over all devices, and which are photos."""
    lists: dict[str, list[np.ndarray]] = {}
    for device in range(DEVICES):
        orders = ceiling_scores(photos, seed=3, device=device)
        for name, one in (orders | {"own utility": _own_utility(photos, device)}).items():
            lists.setdefault(name, []).extend(one)
    where = np.arange(LONGEST) < np.array([[len(one)] for one in lists["Bayes"]])
    return {name: _padded(one) for name, one in lists.items()}, where


def _figures(photos: SyntheticPhotos) -> dict[str, float]:
    """Oracle-normalised NDCG@1 on the true expected gains."""
    scores, where = _scores(photos)
    random = random_ndcg(scores["Bayes"], where=where, k=1)
    return {
        name: oracle_normalised(ndcg(one, scores["Bayes"], where=where, k=1), random)
        for name, one in scores.items()
    }


def _own_utility(photos: SyntheticPhotos, device: int) -> tuple[np.ndarray, ...]:
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
    assert shifted["random"] == 0
    assert shifted["random"] < shifted["chronological"] + 0.02
    assert shifted["chronological"] < 0.12
    assert 0.12 < shifted["public taste"] < shifted["global taste"] < 1
    assert shifted["public taste"] < shifted["univariate oracle"] < 1
    assert shifted["Bayes"] == pytest.approx(1, abs=1e-12)


def test_where_nobody_likes_context_knowing_the_owner_is_worth_more_than_the_common_taste(
    control,
):
    assert control["global taste"] < control["univariate oracle"] < control["Bayes"]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_no_order_is_better_than_bayes_in_any_moment(k):
    scores, where = _scores(PHOTOS)
    gains = scores["Bayes"]
    best = ndcg(gains, gains, where=where, k=k)
    np.testing.assert_allclose(best, 1)
    for one in scores.values():
        assert (ndcg(one, gains, where=where, k=k) <= best + 1e-12).all()


def test_the_moment_is_worth_5_points_that_no_photo_shows_by_itself(shifted):
    assert shifted["Bayes"] - shifted["univariate oracle"] > 0.05


def test_the_univariate_oracle_knows_more_than_the_owners_liking_of_each_photo(shifted):
    assert shifted["univariate oracle"] > shifted["own utility"]


def test_private_data_are_worth_much_where_tastes_differ(shifted):
    assert shifted["global taste"] - shifted["public taste"] > 0.2


def test_in_the_control_the_public_taste_is_the_global_one(control):
    assert control["public taste"] == control["global taste"]
    assert control["univariate oracle"] == control["own utility"]


def test_chronological_puts_the_first_photo_first_and_random_prefers_none():
    scores = ceiling_scores(PHOTOS, seed=0, device=0)
    for chronological, random in zip(scores["chronological"], scores["random"], strict=True):
        assert (np.diff(chronological) < 0).all()
        assert np.ptp(random) == 0
