"""The public split of drawings as an encoder sees it."""

import torch

from ranking.model.encoder import PhotoEncoder
from simulations.pretraining.moments.embedded_moments import EmbeddedMoments
from simulations.pretraining.moments.public_moments import ATTRIBUTES, PublicMoments, gather

CHAPTER = 50
"""Devices that are rendered at once: 6,300 photos, 44 MB at 48 pixels."""

AT_ONCE = 64
"""Moments that are embedded at once: 768 photos at most, 250 MB of activations."""


def embedded_drawings(
    encoder: PhotoEncoder, *, side: int, seed: int, devices: range
) -> EmbeddedMoments:
    """Renders public devices chapter by chapter; only their embeddings are kept."""
    return EmbeddedMoments.joined(
        _chapter(encoder, gather(side=side, seed=seed, devices=devices[first:][:CHAPTER]))
        for first in range(0, len(devices), CHAPTER)
    )


@torch.no_grad()
def _chapter(encoder: PhotoEncoder, moments: PublicMoments) -> EmbeddedMoments:
    where = moments.where
    attributes = torch.zeros(*where.shape, ATTRIBUTES)
    attributes[where] = moments.facts[moments.places[where], :ATTRIBUTES]
    parts = [moments.embedded(encoder, rows) for rows in moments.batches(AT_ONCE)]
    return EmbeddedMoments(
        embeddings=torch.cat(parts),
        attributes=attributes,
        bursts=moments.bursts,
        where=where,
        scenes=moments.facts[moments.places[:, 0], ATTRIBUTES:].argmax(-1),
        gains=moments.gains,
        given=moments.given,
    )
