"""Which made populations are one."""

from dataclasses import replace

import pytest

from photos.synthetic.settings import SyntheticPhotos

PHOTOS = SyntheticPhotos(
    devices=10,
    held_out_devices=2,
    held_out_share=0.2,
    side=24,
    taste=0,
    taste_cosine=0.7,
    taste_flips=6,
    context_preference=1.0,
)


def test_a_population_is_the_one_of_its_tastes_and_its_seed():
    assert PHOTOS.identity(seed=4) == {
        "photos.source": "synthetic",
        "photos.taste": 0,
        "photos.taste_cosine": 0.7,
        "photos.taste_flips": 6,
        "photos.context_preference": 1.0,
        "seed": 4,
    }


@pytest.mark.parametrize(
    "change",
    [{"taste": 1}, {"taste_cosine": 0.5}, {"taste_flips": 7}, {"context_preference": 0.0}],
)
def test_another_taste_is_another_population(change):
    assert replace(PHOTOS, **change).identity(seed=4) != PHOTOS.identity(seed=4)


@pytest.mark.parametrize(
    "change", [{"devices": 500}, {"held_out_devices": 9}, {"held_out_share": 0.5}, {"side": 32}]
)
def test_how_much_of_a_population_is_used_makes_no_other(change):
    assert replace(PHOTOS, **change).identity(seed=4) == PHOTOS.identity(seed=4)


def test_made_libraries_never_change():
    assert PHOTOS.made
