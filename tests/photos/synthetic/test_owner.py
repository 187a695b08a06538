"""A device without its pixels."""

from dataclasses import replace

import numpy as np
import pytest

from photos.synthetic.attributes import NAMES, SCENES, Roll
from photos.synthetic.owner import Owner, private_owner, public_owner
from photos.synthetic.population import library, public_library
from photos.synthetic.settings import SyntheticPhotos
from photos.synthetic.taste import Taste, private_taste, public_taste

PHOTOS = SyntheticPhotos(
    devices=10,
    held_out_devices=2,
    held_out_share=0.2,
    side=16,
    taste=0,
    taste_cosine=0.7,
    taste_flips=6,
    context_preference=1,
)


def test_expected_gain_is_that_of_the_owners_own_taste():
    nothing = Taste(
        weights=np.zeros((SCENES, len(NAMES))), scene_liking=np.zeros(SCENES), context=0.0
    )
    roll = Roll(
        moment_of=np.array([0, 0]),
        bursts=np.array([0, 1]),
        scenes=np.array([2]),
        attributes=np.ones((2, len(NAMES))),
    )
    owner = Owner(roll=roll, common=public_taste(), taste=nothing)
    # Utility 0, alone in its burst: favourite with e^0 / (e^0 + e^(0.8/0.35)) = 0.0923, else
    # kept with 1 / (1 + e^(-0.8)) = 0.6900; so 3 × 0.0923 + 0.9077 × 0.6900 = 0.9032.
    assert owner.expected_gain() == pytest.approx([0.9032, 0.9032], abs=1e-4)


def test_an_owner_is_the_device_of_the_library_without_its_pixels():
    for owner, made in (
        (private_owner(PHOTOS, seed=1, device=2), library(PHOTOS, seed=1, device=2)),
        (public_owner(seed=1, device=2), public_library(side=16, seed=1, device=2)[0]),
    ):
        gains = [moment.expected_gain for moment in made.moments]
        np.testing.assert_array_equal(owner.expected_gain(), np.concatenate(gains))
        bursts = [moment.bursts for moment in made.moments]
        np.testing.assert_array_equal(owner.roll.bursts, np.concatenate(bursts))


def test_all_owners_of_a_population_share_its_common_taste_and_none_their_own():
    owners = [private_owner(PHOTOS, seed=1, device=device) for device in range(3)]
    for owner in owners:
        np.testing.assert_array_equal(owner.common.weights, private_taste(PHOTOS).weights)
    own = {owner.taste.weights.tobytes() for owner in owners}
    assert len(own) == 3


def test_what_is_liked_changes_nothing_of_what_is_photographed():
    control = replace(PHOTOS, taste_cosine=1, taste_flips=0, context_preference=0)
    one, other = (private_owner(p, seed=1, device=6) for p in (PHOTOS, control))
    np.testing.assert_array_equal(one.roll.attributes, other.roll.attributes)
    assert not np.allclose(one.expected_gain(), other.expected_gain())


def test_the_public_split_shares_no_device_with_the_private_population():
    public, private = public_owner(seed=1, device=2), private_owner(PHOTOS, seed=1, device=2)
    assert public.roll.attributes[0, 0] != private.roll.attributes[0, 0]
