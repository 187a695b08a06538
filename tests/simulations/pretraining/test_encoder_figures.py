"""How well an encoder is judged, on embeddings of which it is known."""

import numpy as np
import pytest
import torch

from photos.synthetic.attributes import NAMES
from simulations.pretraining import encoder_figures as module
from simulations.pretraining.encoder_figures import (
    EncoderFigures,
    encoder_figures,
    explained,
    listed,
)

PHOTOS = 4_000  # of moments of four


@pytest.fixture(scope="module")
def where():
    where = torch.zeros(PHOTOS // 4, 5, dtype=torch.bool)
    where[:, :4] = True
    return where


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def test_what_a_linear_map_gives_is_explained_half_of_it_by_half_and_noise_not_at_all(where):
    """Whatever a moment's photos have in common is neither asked for nor in the way."""
    embeddings, noise = normal(PHOTOS, 3, seed=0), normal(PHOTOS, 2, seed=1)
    common = normal(PHOTOS // 4, 1, seed=2).repeat_interleave(4, 0)
    perfect = embeddings @ torch.tensor([[1.0], [-2.0], [0.5]]).double() + 9 * common
    half = embeddings[:, :1] + noise[:, :1]
    attributes = torch.cat([perfect, half, noise[:, 1:]], -1)
    found = explained(embeddings + 5 * common, attributes, where)
    assert float(found[0]) == pytest.approx(1, abs=1e-4)
    # 2,000 photos are judged on: the deviation of a share of one half is about 0.02.
    assert float(found[1]) == pytest.approx(0.5, abs=0.08)
    assert -0.02 < float(found[2]) < 0.01


def test_the_probe_is_least_squares_on_the_first_half_of_the_photos(where, monkeypatch):
    monkeypatch.setattr(module, "RIDGE", 1e-12)
    embeddings, noise = normal(PHOTOS, 6, seed=3), normal(PHOTOS, 2, seed=4)
    attributes = embeddings @ normal(6, 2, seed=5) + noise
    inputs, targets = (
        (part - part.reshape(-1, 4, part.shape[1]).mean(1).repeat_interleave(4, 0)).numpy()
        for part in (embeddings, attributes)
    )
    half = PHOTOS // 2
    weights = np.linalg.lstsq(inputs[:half], targets[:half], rcond=None)[0]
    left = targets[half:] - inputs[half:] @ weights
    expected = 1 - (left**2).sum(0) / (targets[half:] ** 2).sum(0)
    assert explained(embeddings, attributes, where).tolist() == pytest.approx(expected.tolist())


def test_a_direction_that_hardly_varies_is_not_followed(where):
    """Least squares alone would, and explain all of it: here a ten-thousandth of the other."""
    embeddings = torch.cat([normal(PHOTOS, 1, seed=6), 1e-4 * normal(PHOTOS, 1, seed=7)], -1)
    attributes = 1e4 * embeddings[:, 1:]
    assert float(explained(embeddings, attributes, where)[0]) == pytest.approx(0, abs=0.01)


def test_the_figures_are_those_of_the_probe_and_have_a_cost(drawn, moments):
    encoder = drawn().encoder
    figures = encoder_figures(encoder, moments)
    with torch.no_grad():
        embeddings = encoder(moments.pixels.float() / 255)
    expected = explained(embeddings, moments.facts[:, : len(NAMES)], moments.where)
    assert list(figures.explained) == list(NAMES)
    assert list(figures.explained.values()) == pytest.approx(expected.tolist(), abs=1e-3)
    assert figures.cost > 0
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_the_figures_are_printed_with_two_decimals():
    figures = EncoderFigures(explained={"sharp": 0.519, "still": -1.0}, cost=0.1249)
    assert list(figures.lines()) == [
        "variance explained within moments: sharp 0.52, still -1.00",
        "0.12 ms a photo on this machine",
    ]
    assert listed({}) == ""
