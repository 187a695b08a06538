"""Trains the encoder to tell the photos of a moment apart, by what is in them."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from photos.synthetic.attributes import NAMES, SCENES
from ranking.model.encoder import PhotoEncoder
from simulations.pretraining.moments.public_moments import PublicMoments
from simulations.pretraining.schedule import pace

PASSES = 4
"""How often each moment is seen before it is forgotten. Drawing a photo takes about as long as
a training step on it, so that one pass would spend half of the time on drawing."""

BATCH, LR, DECAY, LARGEST_GRADIENT = 16, 2e-3, 1e-2, 1.0
"""Moments of a step, AdamW's largest learning rate, its decay, and the norm to which a step's
gradient is clipped."""

ABSOLUTE, SIGNED, SCENE = 0.3, 0.3, 0.05
"""Weights beside the error within moments: of the attributes as they are, of the signed facts
and of the scene. Without the signed facts the horizon's tilt, whose direction is random, is not
found in four minutes (0% of it explained, 59% with them)."""


class EncoderLesson:
    """The encoder as it learns to read attributes.

    They are read off the embedding by a linear layer that is thrown away afterwards. An order
    depends on differences within a moment alone, and so does most of the loss.

    Attributes:
        encoder: It is trained.
    """

    def __init__(
        self, encoder: PhotoEncoder, *, steps: int, generator: torch.Generator
    ) -> None:
        """Begins with the encoder as it is.

        Args:
            encoder: Changed in place.
            steps: How many to plan the learning rate for.
            generator: Draws the linear layer and the batches.
        """
        self.encoder = encoder
        self._generator = generator
        self._reading = _reading(encoder.width, generator)
        self._trained = [*encoder.parameters(), *self._reading.parameters()]
        self._optimizer = torch.optim.AdamW(self._trained, lr=LR, weight_decay=DECAY)
        self._schedule = LambdaLR(self._optimizer, lambda at: pace(at, steps=steps))

    def learn(self, moments: PublicMoments) -> float:
        """Goes over ``moments`` in random order, ``PASSES`` times; returns the mean loss."""
        losses = [
            self._step(moments, rows)
            for _ in range(PASSES)
            for rows in moments.batches(BATCH, generator=self._generator)
        ]
        return sum(losses) / len(losses)

    def _step(self, moments: PublicMoments, rows: Tensor) -> float:
        where = moments.where[rows]
        photos = moments.places[rows][where]
        embeddings = self.encoder(moments.pixels[photos].float() / 255)
        attributes, scenes, signed = torch.split(self._reading(embeddings), _PARTS, -1)
        facts, own = torch.split(moments.facts[photos], [len(NAMES), SCENES], -1)
        wrong = attributes - facts
        loss = within(wrong, where).square().mean(0).sum()
        loss = loss + ABSOLUTE * wrong.square().mean(0).sum()
        loss = loss + SIGNED * (signed - moments.signed[photos]).square().mean(0).sum()
        loss = loss + SCENE * cross_entropy(scenes, own.argmax(-1))
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self._trained, LARGEST_GRADIENT)
        self._optimizer.step()
        self._schedule.step()
        return float(loss.detach())


_PARTS = [len(NAMES), SCENES, 3]
"""Numbers that are read off an embedding: attributes, scenes, signed facts."""


def within(values: Tensor, where: Tensor) -> Tensor:
    """Returns [photos, n] ``values`` less the mean of each photo's moment.

    Args:
        values: [photos, n], photos in the order of ``where``.
        where: [moments, photos] bool.
    """
    moment = where.nonzero()[:, 0]
    total = values.new_zeros(len(where), values.shape[-1]).index_add(0, moment, values)
    return values - (total / where.sum(-1, keepdim=True))[moment]


def _reading(width: int, generator: torch.Generator) -> nn.Linear:
    """A linear layer from the embedding to all facts."""
    layer = nn.Linear(width, sum(_PARTS), device="meta").to_empty(device="cpu")
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
