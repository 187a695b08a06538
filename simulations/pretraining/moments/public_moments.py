"""The public split as tensors: photos, what is in them, and how much their owners like them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from photos.library import Moment
from photos.synthetic.attributes import NAMES, SCENES
from photos.synthetic.owner import public_owner
from photos.synthetic.population import public_library
from simulations.evaluation.held_out import expected_gain
from simulations.pretraining.moments.padding import padded

ATTRIBUTES = len(NAMES)
"""Features that a drawn photo has by itself."""

FACTS = ATTRIBUTES + SCENES
"""What is read off an embedding: a photo's attributes, and a number for each scene."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PublicMoments:
    """Moments of public devices, their photos one after another.

    Attributes:
        pixels: [all photos, 3, side, side] uint8.
        facts: [all photos, 18] float32 ten attributes, and 1 for the scene among eight.
        places: [moments, photos] int64 row of each photo in ``pixels``; 0 where padded.
        gains: [moments, photos] float32 expected gain; 0 where padded.
        given: [moments, photos] float32 gain of the feedback that was given; 0 where padded.
        where: [moments, photos] bool.
        bursts: [moments, photos] int64 burst inside the moment; 0 where padded.
        signed: [all photos, 3] float32 as in ``Pictures``.
    """

    pixels: Tensor
    facts: Tensor
    places: Tensor
    gains: Tensor
    given: Tensor
    where: Tensor
    bursts: Tensor
    signed: Tensor

    def batches(self, size: int, *, generator: torch.Generator | None = None) -> list[Tensor]:
        """Returns rows of ``where`` in batches, shuffled where a generator is given."""
        count = len(self.where)
        rows = torch.arange(count)
        if generator is not None:
            rows = torch.randperm(count, generator=generator)
        return [rows[start : start + size] for start in range(0, count, size)]

    def embedded(self, encoder: nn.Module, moments: Tensor) -> Tensor:
        """Returns [moments, photos, width] embeddings of the chosen moments, 0 where padded."""
        where = self.where[moments]
        flat: Tensor = encoder(self.pixels[self.places[moments][where]].float() / 255)
        padded = flat.new_zeros(*where.shape, flat.shape[-1])
        padded[where] = flat
        return padded


def gather(*, side: int, seed: int, devices: range) -> PublicMoments:
    """Renders the public devices of ``seed``; none of them is in any private population."""
    drawn = [public_library(side=side, seed=seed, device=device) for device in devices]
    moments = [moment for library, _ in drawn for moment in library.moments]
    where = padded([np.ones(len(moment.photos)) for moment in moments]) > 0
    places = torch.zeros(where.shape, dtype=torch.int64)
    places[where] = torch.arange(int(where.sum()))
    return PublicMoments(
        pixels=_pixels(moments),
        facts=torch.cat([_facts(seed, device) for device in devices]),
        places=places,
        gains=padded([expected_gain(moment) for moment in moments]),
        given=padded([2.0**moment.feedback - 1 for moment in moments]),
        where=where,
        bursts=padded([moment.bursts.astype(np.float64) for moment in moments]).long(),
        signed=torch.from_numpy(np.concatenate([pictures.signed for _, pictures in drawn])),
    )


def _pixels(moments: Sequence[Moment]) -> Tensor:
    """[all photos, 3, side, side] uint8."""
    photos = np.concatenate([moment.photos for moment in moments])
    return torch.from_numpy(photos).permute(0, 3, 1, 2)


def _facts(seed: int, device: int) -> Tensor:
    """[photos, 18] of one device."""
    roll = public_owner(seed=seed, device=device).roll
    scenes = np.eye(SCENES)[roll.scenes[roll.moment_of]]
    return torch.from_numpy(np.concatenate([roll.attributes, scenes], axis=1)).float()
