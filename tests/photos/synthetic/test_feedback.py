"""Favourite, keep or delete: the closed form against draws."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from photos.library import Feedback
from photos.synthetic.attributes import Roll, draw_roll
from photos.synthetic.feedback import (
    FAVOURITE_UTILITY,
    TEMPERATURE,
    draw_feedback,
    expected_gain,
    favourite_probability,
    keep_probability,
)

BURSTS = np.array([0, 0, 1, 1, 2])
UTILITY = np.array([1.4, 0.9, -0.2, 0.6, 0.3])
REPEATS = 40_000


def _repeated(times: int) -> Roll:
    """The same moment of five photos in three bursts, many times."""
    return Roll(
        moment_of=np.repeat(np.arange(times), len(BURSTS)),
        bursts=np.tile(BURSTS, times),
        scenes=np.zeros(times, np.int64),
        attributes=np.zeros((times * len(BURSTS), 10)),
    )


@pytest.fixture(scope="module")
def draws() -> np.ndarray:
    """[repeats, 5] feedback."""
    feedback = draw_feedback(
        np.tile(UTILITY, REPEATS), _repeated(REPEATS), np.random.default_rng(11)
    )
    return feedback.reshape(REPEATS, -1)


def test_the_favourite_of_a_burst_is_chosen_by_luces_rule_with_none_as_an_option():
    roll = _repeated(1)
    # Utilities of b + T·log 2 and b + T·log 3 weigh 2 and 3 against 1 for "none".
    utility = FAVOURITE_UTILITY + TEMPERATURE * np.log([2, 3, 1, 1, 3])
    expected = [2 / 6, 3 / 6, 1 / 3, 1 / 3, 3 / 4]
    np.testing.assert_allclose(favourite_probability(utility, roll), expected)


def test_expected_gain_weighs_3_for_the_favourite_and_1_for_what_is_kept():
    utility = FAVOURITE_UTILITY + TEMPERATURE * np.log([2.0, 3, 1, 1, 3])
    favourite = np.array([2 / 6, 3 / 6, 1 / 3, 1 / 3, 3 / 4])
    expected = 3 * favourite + (1 - favourite) * keep_probability(utility)
    np.testing.assert_allclose(expected_gain(utility, _repeated(1)), expected)


def test_expected_gain_is_the_mean_gain_of_what_owners_do(draws):
    gains = 2.0**draws - 1
    error = gains.std(0) / np.sqrt(REPEATS)
    expected = expected_gain(UTILITY, _repeated(1))
    assert (np.abs(gains.mean(0) - expected) < 4 * error).all()


def test_each_kind_of_feedback_is_as_frequent_as_its_probability(draws):
    favourite = favourite_probability(UTILITY, _repeated(1))
    kept = (1 - favourite) * keep_probability(UTILITY)
    expected = REPEATS * np.stack([1 - favourite - kept, kept, favourite])
    observed = np.stack([(draws == kind).sum(0) for kind in Feedback])
    assert (chisquare(observed, expected).pvalue > 1e-3).all()


@given(st.integers(0, 10_000), st.floats(0.1, 2))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_a_burst_may_always_have_no_favourite(seed, spread):
    generator = np.random.default_rng(seed)
    roll = draw_roll(generator)
    utility = spread * generator.standard_normal(len(roll.moment_of))
    favourite = favourite_probability(utility, roll)
    burst = np.unique([roll.moment_of, roll.bursts], axis=1, return_inverse=True)[1]
    sums = np.bincount(burst, favourite)
    assert (favourite > 0).all()
    assert (sums < 1).all()


def test_a_burst_has_at_most_one_favourite(draws):
    favourites = draws == Feedback.FAVOURITE
    for burst in range(3):
        assert favourites[:, burst == BURSTS].sum(1).max() == 1


def test_no_order_has_a_larger_mean_dcg_than_that_by_expected_gain(draws):
    discounts = 1 / np.log2(np.arange(2, 7))
    mean_gains = (2.0**draws - 1).mean(0)
    by_gain = np.argsort(-expected_gain(UTILITY, _repeated(1)))
    best = mean_gains[by_gain] @ discounts
    assert all(mean_gains[list(order)] @ discounts <= best for order in permutations(range(5)))


@given(st.lists(st.floats(-3, 3), min_size=5, max_size=5))
@settings(deadline=None, max_examples=30)
def test_the_order_by_expected_gain_has_the_largest_expected_dcg(utility):
    discounts = 1 / np.log2(np.arange(2, 7))
    gains = expected_gain(np.array(utility), _repeated(1))
    best = gains[np.argsort(-gains)] @ discounts
    assert best >= max(gains[list(o)] @ discounts for o in permutations(range(5))) - 1e-12


def test_a_better_rival_in_its_burst_lowers_a_photos_expected_gain():
    better = UTILITY + np.array([0, 1, 0, 0, 0])
    roll = _repeated(1)
    assert expected_gain(better, roll)[0] < expected_gain(UTILITY, roll)[0]
    np.testing.assert_array_equal(
        expected_gain(better, roll)[2:], expected_gain(UTILITY, roll)[2:]
    )


def test_bursts_of_two_moments_never_compete_though_their_numbers_are_equal():
    roll = Roll(
        moment_of=np.array([0, 1]),
        bursts=np.array([0, 0]),
        scenes=np.array([0, 0]),
        attributes=np.zeros((2, 10)),
    )
    utility = np.full(2, FAVOURITE_UTILITY)
    np.testing.assert_allclose(favourite_probability(utility, roll), 0.5)


def test_extreme_utilities_stay_finite():
    roll = draw_roll(np.random.default_rng(1))
    utility = np.random.default_rng(2).uniform(-200, 200, len(roll.moment_of))
    gain = expected_gain(utility, roll)
    assert ((gain >= 0) & (gain <= 3)).all()
