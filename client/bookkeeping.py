"""Clipped sums from one backward pass, without any per-moment gradient of a small layer.

Bu et al., "Differentially Private Optimization on Large Model at Small Cost" (ICML 2023): the
norm of a linear layer's gradient for one moment follows from the layer's inputs and from the
gradients of its outputs, and so does the sum of clipped gradients.
"""

import logging
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from client.cohort_batch import Batch
from client.layers import LAYERS
from client.recording import Recorded, Recording, Sums, UnknownLayerError
from client.scoring import Scorer
from client.vmapped import Vmapped
from privacy.clipping import coefficients
from ranking.build import trainable_names
from ranking.losses import LOSSES
from ranking.parameters import place
from ranking.ranker import Ranker
from ranking.settings import Ranking

log = logging.getLogger(__name__)


class Bookkeeping:
    """Per-moment clipping by book-keeping, for the layers that ``client.layers`` knows.

    Where a trained parameter meets another layer, everything is left to ``torch.func``, which
    is said once.
    """

    def __init__(self, ranker: Ranker, ranking: Ranking) -> None:
        """Keeps ``ranker``, whose frozen part is in place; it is read, never changed."""
        self._ranker, self._ranking = ranker, ranking
        self._scorer = Scorer(ranker)
        self._instead: Vmapped | None = None
        self._loss = LOSSES[ranking.loss]
        self.accelerator = place(ranker)
        names = trainable_names(ranker, ranking.trained)
        values = dict(ranker.named_parameters())
        self._trained = [values[name] for name in names]
        for value in values.values():
            value.requires_grad_(False)
        whole = ranking.trained == "all"
        self.devices = 8 if whole else 64
        self.moments = 8 if whole else 32
        self.spare = 12 if whole else 250

    def clipped(
        self, parameters: Tensor, batch: Batch, *, clip: float
    ) -> tuple[Tensor, Tensor]:
        """As of ``ClippedGradients``."""
        if self._instead is None:
            try:
                return self._recorded(parameters, batch, clip=clip)
            except UnknownLayerError as layer:
                log.warning("bookkeeping does not know %s; vmap trains instead", layer)
                self._instead = Vmapped(self._ranker, self._ranking)
        return self._instead.clipped(parameters, batch, clip=clip)

    def _recorded(
        self, parameters: Tensor, batch: Batch, *, clip: float
    ) -> tuple[Tensor, Tensor]:
        recording = Recording(
            self._trained, parameters, lists=batch.where.shape[:2], known=LAYERS
        )
        with torch.enable_grad(), recording:
            losses = self._losses(batch)
        layers = recording.taken()
        outputs = [layer.output for layer in layers]
        gradients = torch.autograd.grad(losses.sum(), outputs, materialize_grads=True)
        for layer, gradient in zip(layers, gradients, strict=True):
            layer.take(gradient)
        return _summed(layers, recording, clip=clip)

    def _losses(self, batch: Batch) -> Tensor:
        """[devices · moments] losses."""
        scored = self._scorer(batch.inputs, batch.where).flatten(0, 1)
        return self._loss(scored, batch.gains.flatten(0, 1), where=batch.where.flatten(0, 1))


def _summed(
    layers: Sequence[Recorded], recording: Recording, *, clip: float
) -> tuple[Tensor, Tensor]:
    devices = recording.lists[0]
    if math.isinf(clip):
        sums = _weighted(
            layers, recording, scales=recording.parameters.new_ones(recording.lists)
        )
        # Nothing that is not finite adds up to what is: no norm need be known.
        if bool(sums.sum().isfinite()):
            return sums, torch.zeros(devices, dtype=torch.int64)
    norms = torch.stack([layer.squared_norms() for layer in layers]).sum(0).sqrt()
    there = norms.isfinite()
    if not bool(there.all()):
        for layer in layers:
            layer.forget(~there)
    scales = coefficients(norms, clip).float()
    return _weighted(layers, recording, scales=scales), (~there).sum(1)


def _weighted(layers: Sequence[Recorded], recording: Recording, *, scales: Tensor) -> Tensor:
    sums = Sums(recording)
    for layer in layers:
        layer.write_to(sums, scales)
    return sums.finished()
