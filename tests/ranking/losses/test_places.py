"""Places of tied photos, against every order that breaks the ties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.losses.places import Places, first_places, with_signal

few_scores = st.lists(st.integers(0, 3).map(float), min_size=1, max_size=5)


def places_of(scores, where=None):
    there = np.ones(len(scores), bool) if where is None else np.array(where)
    return Places.of(np.array(scores, np.float64), where=there)


@given(few_scores, st.lists(st.floats(0, 9), min_size=1, max_size=7))
def test_the_mean_worth_is_that_over_all_orders_that_break_the_ties(scores, worth):
    orders = [
        order
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    expected = np.zeros(len(scores))
    for order in orders:
        for place, photo in enumerate(order):
            expected[photo] += worth[place] if place < len(worth) else 0
    found = places_of(scores).mean(np.array(worth))
    assert found == pytest.approx(expected / len(orders), abs=1e-12)


@given(few_scores)
def test_a_photo_is_tied_with_itself_and_above_or_level_with_or_below_every_other(scores):
    found = places_of(scores)
    assert (found.level.diagonal()).all()
    assert (found.level == found.level.T).all()
    assert ((found.higher + found.higher.T + found.level) == 1).all()
    assert found.above.tolist() == found.higher.sum(-1).tolist()
    assert found.tied.tolist() == found.level.sum(-1).tolist()


@pytest.mark.parametrize("junk", [7.0, -7.0, math.nan, math.inf])
def test_padding_has_no_place_and_takes_none(junk):
    found = places_of([junk, 2.0, 5.0, 2.0], where=[False, True, True, True])
    assert found.above.tolist() == [0, 1, 0, 1]
    assert found.tied.tolist() == [0, 2, 1, 2]
    # 6 for the first place, and 2 shared by the second and third
    assert found.mean(np.array([6.0, 2.0])).tolist() == [0, 1, 6, 1]


def test_lists_are_apart():
    scores = np.array([[1.0, 2.0], [2.0, 1.0]])
    found = Places.of(scores, where=np.ones((2, 2), bool))
    assert found.above.tolist() == [[1, 0], [0, 1]]
    assert found.mean(np.array([6.0, 2.0])).tolist() == [[2, 6], [6, 2]]


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match=r"^a score is not a number, so .* no order\.$"):
        places_of([1.0, math.nan])


@pytest.mark.parametrize("k", [0, -1])
def test_a_metric_looks_at_one_place_or_more(k):
    assert first_places(1).tolist() == [1]
    with pytest.raises(ValueError, match=rf"looks at 1 place or more, got k={k}\.$"):
        first_places(k)


def test_a_list_without_two_gains_has_no_signal_whatever_its_padding_holds():
    gains = np.array([[3.0, 1.0, 9.0], [1.0, 1.0, 9.0], [5.0, 9.0, 9.0], [9.0, 9.0, 9.0]])
    where = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
    found = with_signal(np.array([0.5, 0.5, 0.5, 0.5]), gains, where=where)
    assert found[0] == 0.5
    assert np.isnan(found[1:]).all()
