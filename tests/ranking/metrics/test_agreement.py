"""Rank correlation against SciPy's own, and pairs worked by hand."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from ranking.metrics.agreement import pairwise_accuracy, spearman

FEW = st.integers(-3, 3).map(float)
LISTS = st.lists(st.tuples(FEW, FEW), min_size=2, max_size=30).map(np.array)


@given(LISTS)
def test_spearman_is_scipys_whatever_the_ties(lists):
    scores, ratings = lists.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy warns of equal values, where both are NaN
        expected = spearmanr(scores, ratings).statistic
    assert spearman(scores, ratings) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(LISTS)
def test_spearman_depends_on_the_orders_alone(lists):
    scores, ratings = lists.T
    found = spearman(scores, ratings)
    assert spearman(np.exp(scores), ratings) == pytest.approx(found, nan_ok=True)
    assert spearman(-scores, ratings) == pytest.approx(-found, nan_ok=True)


def test_without_photos_there_is_no_correlation():
    assert np.isnan(spearman(np.zeros(0), np.zeros(0)))


PAIRS = np.array([[0, 1, 0.9], [2, 1, 0.6], [0, 2, 0.3], [1, 2, 0.5]])


@pytest.mark.parametrize(
    ("scores", "share"),
    [
        ([2.0, 1.0, 3.0], 1),  # right, right, right; the tie of people does not count
        ([1.0, 2.0, 0.0], 0),
        ([0.0, 0.0, 0.0], 0.5),
        ([2.0, 1.0, 2.0], 5 / 6),
    ],
)
def test_pairs_count_where_people_had_a_majority(scores, share):
    assert pairwise_accuracy(np.array(scores), PAIRS) == pytest.approx(share)


def test_without_a_majority_there_is_no_accuracy():
    for pairs in (PAIRS[3:], PAIRS[:0]):
        assert np.isnan(pairwise_accuracy(np.zeros(3), pairs))


@given(st.lists(FEW, min_size=3, max_size=3), st.permutations(range(4)))
def test_the_order_of_the_pairs_and_of_the_photos_in_them_is_all_the_same(scores, order):
    expected = pairwise_accuracy(np.array(scores), PAIRS)
    turned = np.stack([PAIRS[:, 1], PAIRS[:, 0], 1 - PAIRS[:, 2]], axis=1)[list(order)]
    assert pairwise_accuracy(np.array(scores), turned) == pytest.approx(expected)
