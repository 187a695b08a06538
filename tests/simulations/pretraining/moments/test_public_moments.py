"""The public split as tensors: every photo where it belongs, and nobody's private one."""

import numpy as np
import pytest
import torch

from photos.synthetic.owner import public_owner
from photos.synthetic.population import public_library
from simulations.pretraining.moments.public_moments import FACTS

SMALL = 16


def test_the_public_moments_are_those_of_the_public_libraries_in_order(moments):
    made = [public_library(side=SMALL, seed=3, device=device) for device in range(2)]
    libraries = [library for library, _ in made]
    signed = np.concatenate([pictures.signed for _, pictures in made])
    assert moments.signed.tolist() == signed.tolist()
    expected = [moment for library in libraries for moment in library.moments]
    assert moments.where.sum(1).tolist() == [len(moment.photos) for moment in expected]
    row, last = len(expected) - 1, expected[-1]
    rows = moments.places[row][moments.where[row]]
    pixels = torch.from_numpy(last.photos).permute(0, 3, 1, 2)
    assert torch.equal(moments.pixels[rows], pixels)
    assert moments.gains[row, : len(last.photos)].tolist() == pytest.approx(
        last.expected_gain.tolist(), rel=1e-6
    )
    assert moments.given[row, : len(last.photos)].tolist() == [
        2.0**feedback - 1 for feedback in last.feedback.tolist()
    ]
    assert moments.bursts[row, : len(last.photos)].tolist() == last.bursts.tolist()


def test_the_facts_of_a_photo_are_its_attributes_and_its_scene(moments):
    roll = public_owner(seed=3, device=0).roll
    assert moments.facts.shape[1] == FACTS == 18
    torch.testing.assert_close(
        moments.facts[: len(roll.attributes), :10], torch.from_numpy(roll.attributes).float()
    )
    assert moments.facts[:, 10:].sum(1).eq(1).all()
    assert moments.facts[0, 10 + roll.scenes[0]] == 1


def test_batches_hold_every_moment_once_and_shuffle_only_with_a_generator(moments):
    assert torch.cat(moments.batches(5)).tolist() == list(range(len(moments.where)))
    shuffled = torch.cat(moments.batches(5, generator=torch.Generator().manual_seed(0)))
    assert shuffled.tolist() != sorted(shuffled.tolist()) == list(range(len(moments.where)))


def test_every_photo_stands_in_one_place_and_padding_holds_nothing(moments):
    places = moments.places[moments.where]
    assert places.tolist() == list(range(len(moments.pixels)))
    for tensor in (moments.places, moments.gains, moments.given, moments.bursts):
        assert not tensor[~moments.where].any()


def test_an_embedding_stands_where_its_photo_is_and_padding_is_zero(moments):
    rows = torch.tensor([4, 0])
    found = moments.embedded(lambda photos: photos.mean(dim=(1, 2, 3))[:, None], rows)
    assert found.shape == (2, *moments.where.shape[1:], 1)
    for at, row in enumerate(rows):
        shown = moments.pixels[moments.places[row][moments.where[row]]].float() / 255
        expected = shown.mean(dim=(1, 2, 3))
        torch.testing.assert_close(found[at, : len(shown), 0], expected)
        assert not found[at, len(shown) :].any()
