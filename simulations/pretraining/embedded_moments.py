"""The public split as the public encoder sees it: what a list transformer is trained on."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from ranking.model.encoder import PhotoEncoder
from simulations.pretraining.context_functions import OWN, Facts
from simulations.pretraining.public_moments import PublicMoments, gather

CHAPTER = 50
"""Devices that are rendered at once: 6,300 photos, 44 MB at 48 pixels."""

AT_ONCE = 64
"""Moments that are embedded at once: 768 photos at most, 250 MB of activations."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EmbeddedMoments:
    """Public moments whose photos were embedded.

    Attributes:
        embeddings: [moments, photos, width], 0 where padded.
        attributes: [moments, photos, 10], 0 where padded.
        bursts: [moments, photos] int64.
        where: [moments, photos] bool.
        scenes: [moments] int64.
        gains: [moments, photos] expected gain under the public taste.
        given: [moments, photos] gain of the feedback that was given.
    """

    embeddings: Tensor
    attributes: Tensor
    bursts: Tensor
    where: Tensor
    scenes: Tensor
    gains: Tensor
    given: Tensor

    @classmethod
    def of(cls, encoder: PhotoEncoder, *, side: int, seed: int, devices: range) -> Self:
        """Renders public devices chapter by chapter; only their embeddings are kept."""
        chapters = [
            _chapter(encoder, gather(side=side, seed=seed, devices=devices[first:][:CHAPTER]))
            for first in range(0, len(devices), CHAPTER)
        ]
        names = [one.name for one in fields(cls)]
        return cls(**{name: torch.cat([one[name] for one in chapters]) for name in names})

    @property
    def facts(self) -> Facts:
        """What is in the photos."""
        return Facts(attributes=self.attributes, bursts=self.bursts, where=self.where)


@torch.no_grad()
def _chapter(encoder: PhotoEncoder, moments: PublicMoments) -> dict[str, Tensor]:
    where = moments.where
    attributes = torch.zeros(*where.shape, OWN)
    attributes[where] = moments.facts[moments.places[where], :OWN]
    parts = [moments.embedded(encoder, rows) for rows in moments.batches(AT_ONCE)]
    return {
        "embeddings": torch.cat(parts),
        "attributes": attributes,
        "bursts": moments.bursts,
        "where": where,
        "scenes": moments.facts[moments.places[:, 0], OWN:].argmax(-1),
        "gains": moments.gains,
        "given": moments.given,
    }
