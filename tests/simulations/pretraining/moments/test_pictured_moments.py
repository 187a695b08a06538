"""Public pictures as an encoder sees them: every photo's embedding where the photo is."""

from dataclasses import fields

import pytest
import torch

from client.embeddings.examples import embed
from photos.sample.public_moments import public_moments
from simulations.pretraining.moments import pictured_moments
from simulations.pretraining.moments.embedded_moments import EmbeddedMoments
from simulations.pretraining.moments.pictured_moments import embedded_pictures

SMALL = 16  # pixels of a side


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(pictured_moments, "MOMENTS", 2)


def test_what_is_known_of_a_photo_stands_in_its_place_and_padding_is_zero(few, drawn):
    encoder = drawn().encoder
    found = embedded_pictures(encoder, side=SMALL, seed=3, devices=range(1, 3))
    known = [
        moment
        for device in (1, 2)
        for moment in public_moments(side=SMALL, seed=3, device=device, count=2)
    ]
    assert found.where.sum(1).tolist() == [len(moment.photos) for moment in known]
    for row, moment in enumerate(known):
        there = found.where[row]
        given = (2.0**moment.given - 1).tolist()
        torch.testing.assert_close(
            found.attributes[row][there], torch.from_numpy(moment.attributes).float()
        )
        assert found.bursts[row][there].tolist() == moment.bursts.tolist()
        assert found.given[row][there].tolist() == given
        assert found.gains[row][there].tolist() == pytest.approx(moment.gains.tolist())
        torch.testing.assert_close(
            found.embeddings[row][there], embed(encoder, moment.photos), rtol=1e-4, atol=1e-5
        )
    padding = ~found.where
    for values in (found.embeddings, found.attributes, found.bursts, found.gains, found.given):
        assert not values[padding].any()
    assert not found.scenes.any()


def test_devices_give_the_same_moments_in_whatever_company(few, drawn):
    encoder = drawn().encoder
    both = embedded_pictures(encoder, side=SMALL, seed=3, devices=range(2))
    apart = EmbeddedMoments.joined(
        embedded_pictures(encoder, side=SMALL, seed=3, devices=range(one, one + 1))
        for one in range(2)
    )
    for one in fields(EmbeddedMoments):
        assert torch.equal(getattr(both, one.name), getattr(apart, one.name))
