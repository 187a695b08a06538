"""The metrics against scikit-learn, SciPy, and every order of the ties tried in turn."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau
from sklearn.metrics import ndcg_score

from ranking.metrics.ndcg import best_shot, kendall_tau, ndcg, oracle_normalised, random_ndcg

photo = st.tuples(st.integers(-2, 2), st.sampled_from([0.0, 1.0, 3.0]))
moments = st.lists(photo, min_size=2, max_size=6).filter(
    lambda moment: len({gain for _, gain in moment}) > 1
)
few = settings(deadline=None, max_examples=60, derandomize=True)

METRICS = {
    "ndcg": lambda s, g, w: ndcg(s, g, where=w, k=3),
    "random": lambda s, g, w: random_ndcg(g, where=w, k=3),
    "best shot": lambda s, g, w: best_shot(s, g, where=w),
    "kendall": lambda s, g, w: kendall_tau(s, g, where=w),
}
each_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def columns(moment):
    scores, gains = (np.array(column, dtype=np.float64) for column in zip(*moment))  # noqa: B905
    return scores, gains, np.ones(len(moment), dtype=bool)


def over_tie_orders(scores, gains, value):
    """The mean of ``value`` of the gains in ranked order, over all orders of the ties."""
    tried = [
        value([gains[i] for i in order])
        for order in itertools.permutations(range(len(scores)))
        if all(scores[i] >= scores[j] for i, j in itertools.pairwise(order))
    ]
    return sum(tried) / len(tried)


@few
@given(moment=moments, k=st.integers(1, 7))
def test_ndcg_equals_scikit_learn_with_its_ties_averaged(moment, k):
    scores, gains, where = columns(moment)
    expected = ndcg_score(gains[None], scores[None], k=k, ignore_ties=False)
    assert ndcg(scores, gains, where=where, k=k) == pytest.approx(expected)


@few
@given(moment=moments, k=st.integers(1, 7))
def test_random_ndcg_is_the_mean_over_all_orders(moment, k):
    _, gains, where = columns(moment)
    orders = itertools.permutations(range(len(gains)))
    tried = [ndcg(np.array(order, float), gains, where=where, k=k) for order in orders]
    assert random_ndcg(gains, where=where, k=k) == pytest.approx(np.mean(tried))


@few
@given(moment=moments)
def test_best_shot_is_the_mean_over_the_orders_of_ties(moment):
    scores, gains, where = columns(moment)
    best = over_tie_orders(scores, gains, lambda ranked: ranked[0] == max(ranked))
    assert best_shot(scores, gains, where=where) == pytest.approx(best)


@few
@given(moment=moments)
def test_kendall_tau_equals_scipy_and_is_0_for_equal_scores(moment):
    scores, gains, where = columns(moment)
    expected = kendalltau(scores, gains).statistic if len(set(scores)) > 1 else 0
    assert kendall_tau(scores, gains, where=where) == pytest.approx(expected)


def test_equal_scores_give_the_same_ndcg_whatever_the_order_of_the_photos():
    scores, where = np.zeros(4), np.ones(4, dtype=bool)
    for gains in itertools.permutations([3.0, 1.0, 0.0, 0.0]):
        value = ndcg(scores, np.array(gains), where=where, k=4)
        assert value == pytest.approx(0.7055, abs=5e-5)


@each_metric
@pytest.mark.parametrize("junk", [-5.0, 1e9, math.nan])
def test_padding_does_not_count_whatever_it_holds(metric, junk):
    scores, gains, where = columns([(2, 0.0), (1, 3.0), (1, 0.0), (0, 1.0)])
    padding = np.full(3, junk)
    padded = metric(
        np.concatenate([padding, scores]),
        np.concatenate([padding, gains]),
        np.concatenate([np.zeros(3, dtype=bool), where]),
    )
    assert padded == pytest.approx(metric(scores, gains, where))


@each_metric
def test_a_list_without_signal_is_nan_and_its_neighbours_are_not(metric):
    scores = np.array([[1.0, 2.0, 0.5], [1.0, 2.0, 0.5], [1.0, 2.0, 0.5], [1.0, 2.0, 0.5]])
    gains = np.array([[0.0, 0, 0], [3.0, 3, 3], [3.0, 0, 0], [1.0, 3, 0]])
    where = np.array([[1, 1, 1], [1, 1, 1], [1, 0, 0], [1, 1, 1]], dtype=bool)
    assert np.isnan(metric(scores, gains, where)).tolist() == [True, True, True, False]


@each_metric
def test_a_batch_gives_each_list_its_own_value(metric):
    generator = np.random.default_rng(5)
    scores = generator.integers(0, 3, (20, 6)).astype(float)
    gains = generator.choice([0.0, 1.0, 3.0], (20, 6))
    where = generator.random((20, 6)) > 0.2
    together = metric(scores, gains, where)
    for row in range(20):
        one = metric(scores[row], gains[row], where[row])
        np.testing.assert_allclose(one, together[row])


def test_oracle_normalised_is_a_ratio_of_sums_that_skips_nan():
    reached, random = np.array([0.9, np.nan, 0.9]), np.array([0.8, np.nan, 0.4])
    assert oracle_normalised(reached, random) == pytest.approx((0.1 + 0.5) / (0.2 + 0.6))
    assert math.isnan(oracle_normalised(reached[1:2], random[1:2]))


def test_the_order_of_the_gains_scores_1_and_a_random_one_0():
    gains, where = np.array([[3.0, 1, 0], [0.0, 3, 3]]), np.ones((2, 3), dtype=bool)
    random = random_ndcg(gains, where=where, k=1)
    assert oracle_normalised(ndcg(gains, gains, where=where, k=1), random) == pytest.approx(1)
    assert oracle_normalised(random, random) == 0


def test_a_nan_score_and_a_cutoff_of_0_are_refused():
    gains, where = np.array([3.0, 0.0]), np.ones(2, dtype=bool)
    with pytest.raises(ValueError, match="not a number"):
        ndcg(np.array([np.nan, 1.0]), gains, where=where, k=1)
    with pytest.raises(ValueError, match="1 place or more, got k=0"):
        ndcg(gains, gains, where=where, k=0)
