"""What the owners of the synthetic population like."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photos.synthetic.attributes import NAMES, SCENES, Roll, draw_roll
from photos.synthetic.settings import SyntheticPhotos
from photos.synthetic.taste import (
    USUAL_DISTANCE,
    personal,
    private_taste,
    public_taste,
    standing_out,
)

CONTROL = SyntheticPhotos(
    devices=10,
    held_out_devices=2,
    held_out_share=0.2,
    side=48,
    taste=0,
    taste_cosine=1,
    taste_flips=0,
    context_preference=0,
)


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float((one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other))


def test_with_cosine_1_and_no_flips_or_context_both_populations_like_the_same():
    private, public = private_taste(CONTROL), public_taste()
    np.testing.assert_array_equal(private.weights, public.weights)
    np.testing.assert_array_equal(private.scene_liking, public.scene_liking)
    assert private.context == public.context == 0


@given(st.floats(-1, 1))
@settings(deadline=None, max_examples=30)
def test_without_flips_the_cosine_between_the_tastes_is_the_setting(cosine):
    private = private_taste(replace(CONTROL, taste_cosine=cosine)).weights
    public = public_taste().weights
    assert _cosine(private, public) == pytest.approx(cosine, abs=1e-7)
    assert np.linalg.norm(private) == pytest.approx(np.linalg.norm(public))


@given(st.integers(0, 79))
@settings(deadline=None, max_examples=20)
def test_each_flip_turns_one_more_weight_round_and_keeps_those_before(flips):
    def flipped(count):
        weights = private_taste(replace(CONTROL, taste_flips=count)).weights
        return np.sign(weights) != np.sign(public_taste().weights)

    fewer, more = flipped(flips), flipped(flips + 1)
    assert fewer.shape == (SCENES, len(NAMES))
    assert fewer.sum() == flips
    assert more.sum() == flips + 1
    assert (more | ~fewer).all()


def test_a_personal_taste_deviates_around_the_common_one_alike_in_all_scenes():
    common = private_taste(replace(CONTROL, taste_cosine=0.7, context_preference=1))
    rng = np.random.default_rng(0)
    owners = [personal(common, rng) for _ in range(500)]
    deviations = np.array([owner.weights - common.weights for owner in owners])
    np.testing.assert_allclose(deviations.mean(0), 0, atol=0.03)
    np.testing.assert_allclose(np.ptp(deviations, axis=1), 0, atol=1e-12)
    assert np.linalg.norm(deviations[:, 0], axis=1).mean() == pytest.approx(0.55, abs=0.03)
    assert all(owner.context == common.context for owner in owners)


def test_a_photo_stands_out_by_its_distance_from_its_moments_mean():
    attributes = np.zeros((4, 10))
    attributes[1, :2] = 6, 8
    roll = Roll(
        moment_of=np.array([0, 0, 1, 1]),
        bursts=np.array([0, 1, 0, 1]),
        scenes=np.array([2, 3]),
        attributes=attributes,
    )
    # The first moment's mean is (3, 4): both photos are 5 away. In the second all are alike.
    np.testing.assert_allclose(standing_out(roll) + USUAL_DISTANCE, [5, 5, 0, 0])


def test_standing_out_is_about_0_on_average():
    values = [standing_out(draw_roll(np.random.default_rng(seed))) for seed in range(200)]
    assert np.concatenate(values).mean() == pytest.approx(0, abs=0.08)


def test_utility_adds_liked_attributes_of_the_scene_and_standing_out():
    roll = draw_roll(np.random.default_rng(3))
    taste = personal(
        private_taste(replace(CONTROL, taste_flips=9, context_preference=2)),
        np.random.default_rng(4),
    )
    photo = len(roll.moment_of) - 1
    scene = roll.scenes[roll.moment_of[photo]]
    expected = (
        taste.weights[scene] @ roll.attributes[photo]
        + taste.scene_liking[scene]
        + 2 * standing_out(roll)[photo]
    )
    assert taste.utility(roll)[photo] == pytest.approx(expected)


def test_another_number_is_another_private_taste_at_the_same_cosine():
    settings = replace(CONTROL, taste_cosine=0.7)
    ours, other = (
        private_taste(replace(settings, taste=number)).weights[0] for number in (0, 1)
    )
    public = public_taste().weights[0]
    assert not np.allclose(ours, other)
    for weights in (ours, other):
        assert weights @ public == pytest.approx(0.7)


def test_the_control_has_the_public_taste_whatever_its_number():
    assert (private_taste(replace(CONTROL, taste=3)).weights == public_taste().weights).all()
