"""Moments of public pictures: what is known of each photo, and of which pictures they are."""

import numpy as np
import pytest
from PIL import Image

from photos.sample import public_moments as module
from photos.sample.capture import Capture
from photos.sample.public_moments import NAMES, PUBLIC_TASTE, attributes, public_moments
from photos.sample.source_pictures import PICTURES, TRAINING

PLAIN = {
    "across": 0.5,
    "down": 0.5,
    "frame": 0.67,
    "tilt": 0.0,
    "exposure": 0.0,
    "warmth": 0.0,
    "colour": 1.0,
    "blur": 0.0,
    "noise": 0.0,
}


@pytest.fixture(scope="module")
def taken():
    return list(public_moments(side=8, seed=2, device=5, count=6))


@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({"blur": 0.02}, "sharp", -2),
        ({"tilt": -6.0}, "level", -2),
        ({"noise": 0.1}, "clean", -2),
        ({"exposure": 1.3}, "bright", 2),
        ({"exposure": 1.3}, "exposed", -2),
        ({"exposure": -0.65}, "bright", -1),
        ({"exposure": -0.65}, "exposed", -1),
        ({"warmth": 0.7}, "warm", 1),
        ({"colour": 1.25}, "colourful", 1),
        ({"frame": 0.77}, "wide", 1),
        # 10 spreads of blur count as 4.
        ({"blur": 0.1}, "sharp", -4),
    ],
)
def test_an_attribute_is_worked_by_hand(changes, name, expected):
    found = dict(zip(NAMES, attributes(Capture(**PLAIN | changes)), strict=True))
    assert found[name] == pytest.approx(expected)
    others = {"bright", "exposed"} if "exposure" in changes else {name}
    assert all(found[other] == 0 for other in NAMES if other not in others)


def test_a_moment_says_as_much_of_every_photo(taken):
    for moment in taken:
        count = len(moment.photos)
        assert 2 <= count <= 8
        assert moment.photos.shape == (count, 8, 8, 3)
        assert moment.photos.dtype == np.uint8
        assert moment.attributes.shape == (count, len(NAMES))
        assert [len(values) for values in (moment.bursts, moment.given, moment.gains)] == (
            [count] * 3
        )


def test_a_device_is_the_same_again_and_another_is_not(taken):
    again = list(public_moments(side=8, seed=2, device=5, count=6))
    other = next(public_moments(side=8, seed=2, device=6, count=1))
    for one, same in zip(taken, again, strict=True):
        np.testing.assert_array_equal(one.photos, same.photos)
        np.testing.assert_array_equal(one.given, same.given)
    assert not np.array_equal(other.attributes, taken[0].attributes)


def test_no_picture_of_a_held_out_device_is_opened(monkeypatch):
    opened = []

    def plain(picture):
        opened.append(picture.name)
        return Image.new("RGB", (64, 64), "grey")

    monkeypatch.setattr(module, "open_picture", plain)
    monkeypatch.setattr(module, "_pictures", module._pictures.__wrapped__)
    list(public_moments(side=8, seed=0, device=0, count=1))
    held_out = {picture.name for picture in PICTURES if picture.held_out}
    assert opened == [picture.name for picture in TRAINING]
    assert held_out
    assert not held_out & set(opened)


def test_owners_who_like_what_the_public_likes_give_it_more(taken):
    """Over the moments the gain rises with the public taste's liking, centred."""
    likings, gains = [], []
    for device in range(8):
        for moment in public_moments(side=2, seed=1, device=device, count=3):
            liking = moment.attributes @ PUBLIC_TASTE
            likings.extend(liking - liking.mean())
            gains.extend(moment.gains - moment.gains.mean())
    assert np.corrcoef(likings, gains)[0, 1] > 0.8
