"""How well an encoder tells the photos of a moment apart, on devices it was not trained on."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import process_time

import torch
from torch import Tensor

from photos.synthetic.attributes import NAMES
from ranking.model.encoder import PhotoEncoder
from simulations.pretraining.encoder_stage import within
from simulations.pretraining.moments.public_moments import PublicMoments

AT_ONCE = 32
"""Moments that are embedded in one call, which bounds the memory."""

RIDGE = 1e-3
"""Penalty of the probe, in units of the embedding's mean variance: embeddings have directions
that hardly vary, along which a probe without it follows the noise of its photos."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderFigures:
    """What `darkroom pretrain --stage encoder` prints.

    Attributes:
        explained: For each attribute, the share of its variance within moments that a linear
            probe of the embedding explains on moments that the probe has not seen.
        cost: Milliseconds of one thread for each photo.
    """

    explained: dict[str, float]
    cost: float

    def lines(self) -> Iterator[str]:
        """Yields the figures as lines of text."""
        yield "variance explained within moments: " + listed(self.explained)
        yield f"{self.cost:.2f} ms a photo on this machine"


@torch.no_grad()
def encoder_figures(encoder: PhotoEncoder, held_out: PublicMoments) -> EncoderFigures:
    """Judges ``encoder`` on public moments that it was not trained on."""
    began = process_time()
    embeddings = torch.cat(
        [
            held_out.embedded(encoder, rows)[held_out.where[rows]]
            for rows in held_out.batches(AT_ONCE)
        ]
    )
    cost = (process_time() - began) / len(embeddings) * 1e3
    attributes = held_out.facts[:, : len(NAMES)]
    found = explained(embeddings, attributes, held_out.where)
    return EncoderFigures(explained=dict(zip(NAMES, found.tolist(), strict=True)), cost=cost)


def explained(embeddings: Tensor, attributes: Tensor, where: Tensor) -> Tensor:
    """Returns [attributes] the share of variance within moments that a probe explains.

    The probe is fitted on the first half of the photos and judged on the second.

    Args:
        embeddings: [photos, width], in the order of ``where``.
        attributes: [photos, attributes].
        where: [moments, photos] bool.
    """
    inputs, targets = (within(part.double(), where) for part in (embeddings, attributes))
    half = len(inputs) // 2
    square = inputs[:half].T @ inputs[:half] / half
    square += RIDGE * square.diagonal().mean() * torch.eye(len(square), dtype=square.dtype)
    weights = torch.linalg.solve(square, inputs[:half].T @ targets[:half] / half)
    left = targets[half:] - inputs[half:] @ weights
    share: Tensor = 1 - left.square().sum(0) / targets[half:].square().sum(0)
    return share


def listed(values: dict[str, float]) -> str:
    """Returns names with two digits of their values, on one line."""
    return ", ".join(f"{name} {value:.2f}" for name, value in values.items())
