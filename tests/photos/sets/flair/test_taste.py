"""Simulated tastes: what they follow from, and how often feedback is what."""

from collections import Counter

import numpy as np
import pytest

from photos.library import Feedback
from photos.sets.flair.labels import LABELS, places
from photos.sets.flair.taste import feedback, utility, weights


def test_weights_follow_from_seed_and_user_alone():
    one = weights(seed=0, user="a", heterogeneity=1.0)
    np.testing.assert_array_equal(one, weights(seed=0, user="a", heterogeneity=1.0))
    assert one.shape == (17,)
    for other in ({"user": "b"}, {"seed": 1}):
        changed = weights(**{"seed": 0, "user": "a", "heterogeneity": 1.0, **other})
        assert not np.isclose(one, changed).any()


def test_without_heterogeneity_all_users_are_alike():
    alike = [weights(seed=3, user=user, heterogeneity=0.0) for user in "ab"]
    np.testing.assert_array_equal(*alike)


def test_users_stand_around_the_common_weights_as_far_as_is_asked():
    common = weights(seed=0, user="", heterogeneity=0.0)
    own = [weights(seed=0, user=str(k), heterogeneity=2.0) - common for k in range(300)]
    # 5,100 draws: a deviation of 2 is found to within 2 / √10,200.
    assert np.std(own) == pytest.approx(2.0, abs=3 * 0.02)


def test_a_utility_by_hand():
    liked = np.arange(17.0)
    assert utility((4,), liked) == 4
    assert utility((0, 1, 2, 13), liked) == 16 / 2


@pytest.mark.parametrize(
    ("value", "favourite", "kept"),
    # σ(2 (u − 1)) and, of the rest, σ(2 (u + 1)).
    [(0.0, 0.1192, 0.8808 * 0.8808), (1.0, 0.5, 0.5 * 0.9820), (-1.0, 0.0180, 0.9820 * 0.5)],
)
def test_feedback_is_as_frequent_as_its_formula_says(value, favourite, kept):
    drawn = Counter(feedback(value, seed=0, user="a", photo=str(k)) for k in range(2000))
    # Three deviations of a share of 2,000 are at most 3 · ½ / √2000 = 0.034.
    assert drawn[Feedback.FAVOURITE] / 2000 == pytest.approx(favourite, abs=0.034)
    assert drawn[Feedback.KEEP] / 2000 == pytest.approx(kept, abs=0.034)


def test_labels_have_places_and_others_are_counted():
    assert len(set(LABELS)) == 17
    skipped = Counter()
    assert places(["structure", "animal", "animal", "leaf"], skipped) == (0, 16)
    assert places(["leaf"], skipped) == ()
    assert skipped == {"label that is none of the 17": 2, "photo without a label": 1}
