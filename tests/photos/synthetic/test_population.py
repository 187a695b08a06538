"""The procedural population: lazy, and the same bytes everywhere."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from photos.library import LARGEST_MOMENT, SMALLEST_MOMENT, Library
from photos.synthetic.population import SyntheticSource, library, public_library
from photos.synthetic.settings import SyntheticPhotos

PHOTOS = SyntheticPhotos(
    devices=10,
    held_out_devices=2,
    held_out_share=0.2,
    side=24,
    taste=0,
    taste_cosine=0.7,
    taste_flips=6,
    context_preference=1,
)
CONTROL = replace(PHOTOS, taste_cosine=1, taste_flips=0, context_preference=0)


def digest(made: Library) -> str:
    everything = hashlib.sha256(str(made.device).encode())
    for moment in made.moments:
        everything.update(str(moment.number).encode())
        for part in (moment.photos, moment.bursts, moment.feedback, moment.expected_gain):
            everything.update(part.tobytes())
    return everything.hexdigest()


def test_a_library_is_as_promised():
    made = library(PHOTOS, seed=0, device=3)
    assert made.device == 3
    assert made.skipped == {}
    assert [moment.number for moment in made.moments] == list(range(len(made.moments)))
    for moment in made.moments:
        photos = len(moment.photos)
        assert SMALLEST_MOMENT <= photos <= LARGEST_MOMENT
        assert moment.photos.shape == (photos, 24, 24, 3)
        assert moment.photos.dtype == np.uint8
        assert moment.bursts.shape == moment.feedback.shape == (photos,)
        assert moment.bursts.dtype == moment.feedback.dtype == np.int64
        assert moment.expected_gain.dtype == np.float64
        assert ((moment.expected_gain > 0) & (moment.expected_gain < 3)).all()
        assert set(moment.feedback) <= {0, 1, 2}


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_device_is_the_same_bytes_in_another_process_order_and_number_of_threads(threads):
    printed = subprocess.run(
        [sys.executable, __file__, "5", "2"],
        env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    here = [digest(library(PHOTOS, seed=4, device=device)) for device in (2, 5)]
    assert printed == here[::-1]


def test_devices_seeds_and_the_public_split_share_nothing():
    made = [
        library(PHOTOS, seed=4, device=0),
        library(PHOTOS, seed=4, device=1),
        library(PHOTOS, seed=5, device=0),
        public_library(side=24, seed=4, device=0)[0],
        library(PHOTOS, seed=2**62, device=0),
    ]
    first_photos = {one.moments[0].photos[0].tobytes() for one in made}
    assert len(first_photos) == len(made)


def test_the_pictures_of_a_public_library_are_its_photos_in_order():
    made, pictures = public_library(side=24, seed=4, device=1)
    photos = np.concatenate([moment.photos for moment in made.moments])
    np.testing.assert_array_equal(pictures.photos, photos)
    assert pictures.signed.shape == (len(photos), 3)


def test_the_tastes_settings_change_what_is_liked_and_not_what_is_photographed():
    shifted, control = (library(p, seed=1, device=6) for p in (PHOTOS, CONTROL))
    for one, other in zip(shifted.moments, control.moments, strict=True):
        np.testing.assert_array_equal(one.photos, other.photos)
    assert any(
        not np.allclose(one.expected_gain, other.expected_gain)
        for one, other in zip(shifted.moments, control.moments, strict=True)
    )


def test_a_source_gives_the_libraries_and_the_named_orders_of_its_seed():
    source = SyntheticSource(PHOTOS, 5)
    assert digest(source.library(3)) == digest(library(PHOTOS, seed=5, device=3))
    orders = source.orders(3)
    assert [*orders][:: len(orders) - 1] == ["random", "Bayes"]
    for moment, bayes in zip(source.library(3).moments, orders["Bayes"], strict=True):
        np.testing.assert_array_equal(bayes, moment.expected_gain)


def test_near_duplicates_are_closer_in_pixels_than_other_photos_of_their_moment():
    gaps = []
    for device in range(160):
        for moment in library(replace(PHOTOS, side=16), seed=0, device=device).moments:
            pixels = moment.photos.reshape(len(moment.photos), -1) / 255
            one, other = np.triu_indices(len(pixels), 1)
            distances = np.sqrt(((pixels[one] - pixels[other]) ** 2).mean(1))
            duplicates = moment.bursts[one] == moment.bursts[other]
            if duplicates.any() and not duplicates.all():
                gaps.append(distances[~duplicates].mean() - distances[duplicates].mean())
    # A small gap, against three standard errors: every photo, near duplicate or not, draws for
    # itself on which side the subject stands, how it leans and whether it is too dark or light.
    assert np.mean(gaps) > 3 * np.std(gaps) / np.sqrt(len(gaps))


def test_photos_of_a_moment_are_closer_in_pixels_than_those_of_others():
    together, apart = [], []
    for device in range(10):
        moments = library(PHOTOS, seed=0, device=device).moments
        pixels = [moment.photos / 255 for moment in moments]
        together += [np.sqrt(((one[0] - one[1]) ** 2).mean()) for one in pixels]
        apart += [np.sqrt(((one[0] - other[0]) ** 2).mean()) for one, other in pairwise(pixels)]
    assert np.mean(together) < 0.9 * np.mean(apart)


def test_feedback_follows_expected_gain():
    made = [library(PHOTOS, seed=1, device=device) for device in range(12)]
    moments = [moment for one in made for moment in one.moments]
    gains = np.concatenate([moment.expected_gain for moment in moments])
    drawn = np.concatenate([2.0**moment.feedback - 1 for moment in moments])
    assert np.corrcoef(gains, drawn)[0, 1] > 0.5
    assert drawn.mean() == pytest.approx(gains.mean(), abs=0.1)


if __name__ == "__main__":
    for number in map(int, sys.argv[1:]):
        print(digest(library(PHOTOS, seed=4, device=number)))
