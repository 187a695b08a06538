"""How the photos of a moment are taken: in bursts, one after another."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from photos.sample.shots import PHONE, STRONG, draw_shots

NOON = datetime(2025, 3, 4, 12)


def drawn(shooting, seed):
    return draw_shots(NOON, shooting=shooting, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module", params=[STRONG, PHONE], ids=["strong", "phone"])
def moments(request):
    return [drawn(request.param, seed) for seed in range(400)]


def test_a_moment_has_two_to_eight_photos(moments):
    assert {len(shots) for shots in moments} == set(range(2, 9))


@pytest.mark.parametrize("shooting", [STRONG, PHONE])
def test_the_same_generator_draws_the_same(shooting):
    assert drawn(shooting, 7) == drawn(shooting, 7) != drawn(shooting, 8)


def test_a_phones_photos_are_mostly_sharp_and_clean_and_some_are_not(moments):
    """The median of an exponential draw is 0.69, and one in ten is above 2.30."""
    captures = [shot.capture for seed in range(900) for shot in drawn(PHONE, seed)]
    blur, noise = (
        np.array([getattr(one, name) for one in captures]) for name in ("blur", "noise")
    )
    assert np.median(blur) == pytest.approx(0.69**3 * 0.001, rel=0.2)
    assert np.quantile(blur, 0.9) == pytest.approx(2.30**3 * 0.001, rel=0.2)
    assert blur.max() == 0.04 < noise.max() <= 0.08
    assert np.median(noise) < 0.002
    assert np.quantile(noise, 0.9) > 0.01


def test_bursts_are_numbered_in_order_and_their_photos_follow_within_a_second(moments):
    for shots in moments:
        assert (shots[0].burst, shots[0].taken > NOON) == (0, True)
        for before, after in pairwise(shots):
            gap = after.taken - before.taken
            assert after.burst - before.burst in (0, 1)
            if after.burst == before.burst:
                assert timedelta(milliseconds=200) <= gap < timedelta(milliseconds=900)
            else:
                assert gap >= timedelta(seconds=20)


def test_frames_of_a_burst_are_near_duplicates_and_all_photos_lie_in_the_scene(moments):
    """Within a burst the size of the frame stays; it never leans by more than ten degrees."""
    for shots in moments:
        for before, after in pairwise(shots):
            if after.burst == before.burst:
                assert after.capture.frame == before.capture.frame
                assert after.capture.colour == before.capture.colour
        assert all(abs(shot.capture.tilt) <= 10 for shot in shots)
        assert all(shot.capture.blur >= 0 <= shot.capture.noise for shot in shots)
