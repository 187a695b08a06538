"""The public split as an encoder sees it: every photo's embedding where the photo is."""

from dataclasses import fields

import pytest
import torch

from photos.synthetic.owner import public_owner
from simulations.pretraining.moments import drawn_moments
from simulations.pretraining.moments.drawn_moments import embedded_drawings
from simulations.pretraining.moments.embedded_moments import EmbeddedMoments

SMALL = 16


@pytest.fixture
def encoder(drawn):
    """The encoder that made the embeddings of the fixture ``embedded``."""
    return drawn().encoder


def test_an_embedding_is_of_the_photo_in_its_place_and_padding_is_zero(
    encoder, moments, embedded
):
    photos = moments.pixels.float() / 255
    with torch.no_grad():
        expected = encoder(photos)
    torch.testing.assert_close(embedded.embeddings[embedded.where], expected)
    assert not embedded.embeddings[~embedded.where].any()
    assert not embedded.embeddings.requires_grad


def test_what_is_in_the_photos_is_what_the_owners_photographed(embedded):
    rolls = [public_owner(seed=3, device=device).roll for device in range(2)]
    attributes = torch.cat([torch.from_numpy(roll.attributes) for roll in rolls])
    torch.testing.assert_close(embedded.attributes[embedded.where], attributes.float())
    assert not embedded.attributes[~embedded.where].any()
    bursts = torch.cat([torch.from_numpy(roll.bursts) for roll in rolls])
    assert torch.equal(embedded.bursts[embedded.where], bursts)
    assert embedded.scenes.tolist() == [scene for roll in rolls for scene in roll.scenes]


def test_gains_are_those_of_the_public_moments(moments, embedded):
    for name in ("gains", "given", "where", "bursts"):
        assert torch.equal(getattr(embedded, name), getattr(moments, name))


def test_the_facts_are_the_moments_own(embedded):
    facts = embedded.facts
    assert facts.attributes is embedded.attributes
    assert facts.bursts is embedded.bursts
    assert facts.where is embedded.where


def test_chapters_and_batches_change_nothing_but_the_rounding(encoder, embedded, monkeypatch):
    monkeypatch.setattr(drawn_moments, "CHAPTER", 1)
    monkeypatch.setattr(drawn_moments, "AT_ONCE", 7)
    again = embedded_drawings(encoder, side=SMALL, seed=3, devices=range(2))
    for one in fields(EmbeddedMoments):
        torch.testing.assert_close(getattr(again, one.name), getattr(embedded, one.name))


def test_devices_are_those_that_are_named_whatever_the_first_is(encoder, embedded):
    second = embedded_drawings(encoder, side=SMALL, seed=3, devices=range(1, 2))
    count = len(second.where)
    assert 0 < count < len(embedded.where)
    assert torch.equal(second.attributes, embedded.attributes[-count:])
