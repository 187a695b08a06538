"""The public split as tensors: photos, what is in them, and how much their owners like them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from photos.attributes import SCENES
from photos.library import LARGEST_MOMENT, Library
from photos.settings import Photos
from photos.synthetic import public_library, public_owner


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PublicMoments:
    """Moments of public devices, their photos one after another.

    Attributes:
        pixels: [all photos, 3, side, side] uint8.
        facts: [all photos, 18] float32 ten attributes and the scene as 0 or 1.
        places: [moments, photos] int64 row of each photo in ``pixels``; 0 where padded.
        gains: [moments, photos] float32 expected gain; 0 where padded.
        where: [moments, photos] bool.
    """

    pixels: Tensor
    facts: Tensor
    places: Tensor
    gains: Tensor
    where: Tensor

    def embedded(self, encoder: nn.Module, moments: Tensor) -> Tensor:
        """Returns [moments, photos, 64] embeddings of the chosen moments, 0 where padded."""
        where = self.where[moments]
        flat = encoder(self.pixels[self.places[moments][where]].float() / 255)
        padded = flat.new_zeros(*where.shape, flat.shape[-1])
        padded[where] = flat
        return padded


def gather(photos: Photos, *, seed: int, devices: range) -> PublicMoments:
    """Renders the public devices of ``seed``; none of them is in any private population."""
    libraries = [public_library(photos, seed=seed, device=device) for device in devices]
    facts = [_facts(seed, device) for device in devices]
    moments = [moment for library in libraries for moment in library.moments]
    gains = np.zeros((len(moments), LARGEST_MOMENT), np.float32)
    where = np.zeros(gains.shape, bool)
    for row, moment in enumerate(moments):
        gains[row, : len(moment.photos)] = moment.expected_gain
        where[row, : len(moment.photos)] = True
    places = np.zeros(gains.shape, np.int64)
    places[where] = np.arange(where.sum())
    return PublicMoments(
        pixels=_pixels(libraries),
        facts=torch.from_numpy(np.concatenate(facts)),
        places=torch.from_numpy(places),
        gains=torch.from_numpy(gains),
        where=torch.from_numpy(where),
    )


def _pixels(libraries: Sequence[Library]) -> Tensor:
    parts = [moment.photos for library in libraries for moment in library.moments]
    return torch.from_numpy(np.concatenate(parts)).permute(0, 3, 1, 2)


def _facts(seed: int, device: int) -> np.ndarray:
    roll = public_owner(seed=seed, device=device).roll
    scenes = np.eye(SCENES)[roll.scenes[roll.moment_of]]
    return np.concatenate([roll.attributes, scenes], axis=1, dtype=np.float32)
