"""Moments of public pictures as an encoder sees them."""

from collections.abc import Sequence

import numpy as np
import torch

from client.embeddings.examples import embed
from photos.sample.public_moments import PublicMoment, public_moments
from ranking.model.encoder import PhotoEncoder
from simulations.pretraining.moments.embedded_moments import EmbeddedMoments
from simulations.pretraining.moments.padding import padded

MOMENTS = 24
"""Moments of a public device: as many as a drawn one has."""


def embedded_pictures(
    encoder: PhotoEncoder, *, side: int, seed: int, devices: range
) -> EmbeddedMoments:
    """Takes the photos of public devices, one after another; embeddings alone are kept."""
    return EmbeddedMoments.joined(
        _device(encoder, list(public_moments(side=side, seed=seed, device=one, count=MOMENTS)))
        for one in devices
    )


@torch.no_grad()
def _device(encoder: PhotoEncoder, moments: Sequence[PublicMoment]) -> EmbeddedMoments:
    flat = embed(encoder, np.concatenate([one.photos for one in moments]))
    cuts = [len(one.photos) for one in moments]
    return EmbeddedMoments(
        embeddings=padded([rows.numpy() for rows in torch.split(flat, cuts)]),
        attributes=padded([one.attributes for one in moments]),
        bursts=padded([one.bursts for one in moments]).long(),
        where=padded([np.ones(count) for count in cuts]) > 0,
        scenes=torch.zeros(len(moments), dtype=torch.int64),
        gains=padded([one.gains for one in moments]),
        given=padded([2.0**one.given - 1 for one in moments]),
    )
