"""What the sample's owners like, and what they do about it."""

from dataclasses import replace

import numpy as np
import pytest

from photos.library import Feedback
from photos.sample.capture import Capture
from photos.sample.owner import COMMON_TASTE, SampleOwner, expected_gain, feedback, merits

PLAIN = Capture(
    across=0.5,
    down=0.5,
    frame=1.0,
    tilt=0.0,
    exposure=0.0,
    warmth=0.0,
    colour=1.0,
    blur=0.0,
    noise=0.0,
)
RNG = np.random.default_rng


def test_better_captures_are_liked_more_and_merits_are_as_listed():
    owner = SampleOwner(taste=COMMON_TASTE)
    good = replace(PLAIN, exposure=0.5, warmth=0.5)
    bad = replace(PLAIN, exposure=-0.5, warmth=-0.5, blur=0.02, tilt=6.0)
    liking = owner.liking((good, PLAIN, bad))
    assert liking[0] > liking[1] > liking[2]
    assert liking.sum() == pytest.approx(0)
    assert merits(replace(PLAIN, blur=0.01, tilt=-3.0, noise=0.05, frame=0.77)).tolist() == (
        pytest.approx([-1, -1, -1, 0, 0, 0, 1])
    )


def test_a_burst_has_at_most_one_favourite_and_the_best_liked_is_it_most_often():
    liking = np.array([2.0, 0.0, -2.0, 2.0])
    bursts = np.array([0, 0, 0, 1])
    given = np.stack([feedback(liking, bursts, rng=RNG(seed)) for seed in range(500)])
    favourite = given == Feedback.FAVOURITE
    assert (favourite[:, :3].sum(axis=1) <= 1).all()
    # e^4 / (e^4 + 1 + e^-4 + e^1) and e^4 / (e^4 + e^1), by hand.
    assert favourite.mean(axis=0)[[0, 3]] == pytest.approx([0.936, 0.953], abs=0.03)
    assert (given[:, 2] == Feedback.DELETE).mean() > 0.8


def test_the_expected_gain_is_the_mean_of_what_is_given():
    """Over 4,000 draws; the deviation of a mean is at most 1.5 / 63 = 0.024."""
    liking = np.array([1.0, 0.3, -0.5, 0.0, -1.0])
    bursts = np.array([0, 0, 0, 1, 1])
    given = np.stack([feedback(liking, bursts, rng=RNG(seed)) for seed in range(4_000)])
    mean = (2.0**given - 1).mean(axis=0)
    assert mean == pytest.approx(expected_gain(liking, bursts), abs=0.08)


def test_the_expected_gain_is_worked_by_hand():
    """Alone at 0.5 it is a favourite as often as not; else kept by 1 / (1 + e^-1.55)."""
    found = expected_gain(np.array([0.5]), np.array([0]))
    assert found.tolist() == pytest.approx([3 * 0.5 + 0.5 * 0.82491], abs=1e-4)
