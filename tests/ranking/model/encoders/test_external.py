"""An encoder that is not ours: asked late, known by its digest, and moved with the ranker."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from own_encoders import module_settings, onnx_settings

from client.embeddings.examples import embed
from ranking.model.encoders.external import ExternalEncoder, Opened, checked, pinned
from ranking.model.encoders.trial import Tried
from ranking.parameters import module_digest, place


class Opener:
    """Finds one encoder, and counts how often it was asked for."""

    def __init__(self, *, digest="ab", at_once=16):
        self.asked = 0
        tried = Tried(width=3, at_once=at_once)
        self.found = Opened(
            embed=lambda photos: photos.mean((-1, -2)), tried=tried, digest=digest
        )

    def __call__(self, settings):
        self.asked += 1
        return self.found


OWN = module_settings("mine")


def test_one_that_is_known_is_opened_when_the_first_photo_comes():
    opener = Opener()
    encoder = ExternalEncoder(replace(OWN, width=3, digest="ab"), opener=opener)
    assert encoder(torch.rand(0, 3, 16, 16)).shape == (0, 3)
    assert opener.asked == 0
    assert encoder(torch.rand(2, 3, 16, 16)).shape == (2, 3)
    assert opener.asked == 1


def test_one_that_is_not_known_is_opened_at_once_and_then_known():
    encoder = ExternalEncoder(OWN, opener=Opener())
    assert encoder.settings == replace(OWN, width=3, digest="ab")
    assert encoder.width == 3


@pytest.mark.parametrize(
    "known", [{"width": 4}, {"digest": "cd"}, {"width": 3, "digest": "cd"}]
)
def test_what_is_known_of_it_is_held_against_what_is_found(known):
    asked = replace(OWN, **known)
    with pytest.raises(ValueError, match="is not the encoder that was agreed"):
        checked(asked, opener=Opener())
    if None in (asked.width, asked.digest):
        with pytest.raises(ValueError, match="is not the encoder that was agreed"):
            pinned(asked, opener=Opener())


def test_its_identity_is_what_it_is_and_how_it_is_asked_and_not_where():
    encoders = [
        ExternalEncoder(settings, opener=Opener(digest=digest))
        for settings, digest in (
            (OWN, "ab"),
            (OWN, "cd"),
            (replace(OWN, side=24), "ab"),
            (replace(OWN, mean=(0.1,) * 3), "ab"),
            (replace(OWN, deviation=(0.1,) * 3), "ab"),
            (onnx_settings("a"), "ab"),
        )
    ]
    assert len({encoder.identity for encoder in encoders}) == 6
    assert len({module_digest(encoder) for encoder in encoders}) == 6
    elsewhere = ExternalEncoder(onnx_settings("b"), opener=Opener())
    assert elsewhere.identity == encoders[-1].identity


def test_a_photo_keeps_its_bits_whatever_the_others_are():
    encoder = ExternalEncoder(OWN, opener=Opener(at_once=1))
    photos = torch.randint(0, 256, (35, 16, 16, 3), dtype=torch.uint8).numpy()
    together = embed(encoder, photos)
    assert all(
        torch.equal(embed(encoder, photos[at : at + 1])[0], together[at]) for at in (0, 34)
    )


def test_it_is_where_the_ranker_is_and_its_copy_asks_the_same():
    encoder = ExternalEncoder(OWN, opener=Opener())
    assert place(encoder) == torch.device("cpu")
    assert place(deepcopy(encoder).to("meta")) == torch.device("meta")
    assert deepcopy(encoder).identity == encoder.identity
    assert list(encoder.parameters()) == list(encoder.state_dict()) == []
