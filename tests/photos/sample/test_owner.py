"""What the sample's owners like, and what they do about it."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from photos.library import Feedback
from photos.sample.capture import Capture
from photos.sample.owner import SampleOwner, expected_gain, feedback, merits, phone_merits
from photos.sample.shots import PHONE, STRONG, draw_shots
from photos.sample.versions import VERSIONS

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
    owners = VERSIONS[1].owners
    owner = SampleOwner(merits=owners.merits, taste=np.array(owners.common))
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


def test_phone_merits_are_worked_by_hand():
    capture = replace(PLAIN, blur=0.015, tilt=-2.8, noise=0.022, exposure=-0.6, frame=0.757)
    # sharp, level, clean and exposed two spreads below the best, bright 0.6 / 0.47 below.
    expected = [-2, -2, -2, -2, -0.6 / 0.47, 0, 0, 1]
    assert phone_merits(capture).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("shooting", "look"), [(STRONG, merits), (PHONE, phone_merits)])
def test_every_merit_has_a_spread_of_about_one_in_its_own_shooting(shooting, look):
    start = datetime(2025, 1, 1)
    moments = [draw_shots(start, shooting=shooting, rng=RNG(seed)) for seed in range(600)]
    known = np.stack([look(shot.capture) for shots in moments for shot in shots])
    assert known.std(0) == pytest.approx(np.ones(known.shape[1]), abs=0.45)


@pytest.mark.parametrize("version", VERSIONS)
def test_owners_differ_by_their_own_part_alone(version):
    owners = VERSIONS[version].owners
    tastes = np.stack([SampleOwner.draw(owners, rng=RNG(seed)).taste for seed in range(2_000)])
    assert tastes.mean(0) == pytest.approx(np.array(owners.common), abs=0.05)
    assert tastes.std(0) == pytest.approx(np.array(owners.own), rel=0.1)


def test_the_owners_of_the_second_version_dislike_what_people_dislike():
    owner = SampleOwner(merits=phone_merits, taste=np.array(VERSIONS[2].owners.common))
    bad = [
        {"blur": 0.02},
        {"noise": 0.03},
        {"exposure": -1.0},
        {"exposure": 1.0},
        {"tilt": 5.0},
    ]
    for fault in bad:
        liking = owner.liking((PLAIN, replace(PLAIN, **fault)))
        assert liking[0] > liking[1]
