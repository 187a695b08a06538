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

from client.isolation import Isolated
from client.training.cohort_batch import Batch, Shape
from client.training.layers import LAYERS
from client.training.recording import Recorded, Recording, UnknownLayerError
from client.training.scoring import Scorer
from client.training.vmapped import Vmapped
from privacy.clipping.moments import coefficients
from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.model.ranker import Ranker
from ranking.parameters import place
from ranking.settings import Ranking

log = logging.getLogger(__name__)
ALONE = Shape(devices=1, moments=1, spare=0, fixed=False)


class Bookkeeping:
    """Per-moment clipping by book-keeping, for the layers of ``client.training.layers``.

    Where a trained parameter meets another layer, everything is left to ``torch.func``, which
    is said once.
    """

    def __init__(self, ranker: Ranker, ranking: Ranking, *, alone: bool = False) -> None:
        """Keeps ``ranker``, whose frozen part is in place; it is read, never changed.

        Args:
            ranker: The ranker.
            ranking: What is trained, by which loss.
            alone: Whether every moment has a batch of its own.
        """
        self._ranker, self._ranking = ranker, ranking
        self._scorer = Scorer(ranker, kept=ranking.inputs)
        self._instead: Vmapped | None = None
        self._loss = LOSSES[ranking.loss]
        self.accelerator = place(ranker)
        names = trainable_names(ranker, ranking.trained)
        values = dict(ranker.named_parameters())
        self._trained = [values[name] for name in names]
        self.size = sum(value.numel() for value in self._trained)
        for value in values.values():
            value.requires_grad_(False)
        self.shape = ALONE if alone else _shape(ranking, self.accelerator)

    def add_clipped(
        self, total: Tensor, parameters: Tensor, batch: Batch, *, clip: float
    ) -> Tensor:
        """Same as ``MomentGradients``."""
        recorded = self._recorded(parameters, batch)
        if isinstance(recorded, Vmapped):
            return recorded.add_clipped(total, parameters, batch, clip=clip)
        layers, recording = recorded
        return _add(total, layers, recording, there=batch.where.any(-1), clip=clip)

    def of_moments(self, parameters: Tensor, batch: Batch) -> Tensor:
        """Same as ``MomentGradients``."""
        recorded = self._recorded(parameters, batch)
        if isinstance(recorded, Vmapped):
            return recorded.of_moments(parameters, batch)
        layers, recording = recorded
        found = {key: own for layer in layers for key, own in layer.of_moments().items()}
        size = parameters.shape[1]
        gradients = parameters.new_zeros(*recording.lists, size).flatten(0, 1)
        for number, part in enumerate(recording.parts(gradients)):
            if number in found:
                part.copy_(found[number].flatten(0, 1))
        return gradients.view(*recording.lists, size)

    def _recorded(
        self, parameters: Tensor, batch: Batch
    ) -> tuple[list[Recorded], Recording] | Vmapped:
        """The layers with their gradients, or what stands in for all of this."""
        if self._instead is None:
            try:
                return self._layers(parameters, batch)
            except UnknownLayerError as layer:
                log.warning("bookkeeping does not know %s; vmap trains instead", layer)
                self._instead = Vmapped(self._ranker, self._ranking)
        return self._instead

    def _layers(self, parameters: Tensor, batch: Batch) -> tuple[list[Recorded], Recording]:
        recording = Recording(
            self._trained, parameters, lists=batch.where.shape[:2], known=LAYERS
        )
        with torch.enable_grad(), Isolated(), recording:
            losses = self._losses(batch)
        layers = recording.taken()
        outputs = [layer.output for layer in layers]
        gradients = torch.autograd.grad(losses.sum(), outputs, materialize_grads=True)
        for layer, gradient in zip(layers, gradients, strict=True):
            layer.take(gradient)
        return layers, recording

    def _losses(self, batch: Batch) -> Tensor:
        """[devices · moments] losses."""
        scored = self._scorer(batch.inputs, batch.where).flatten(0, 1)
        return self._loss(scored, batch.gains.flatten(0, 1), where=batch.where.flatten(0, 1))


def _shape(ranking: Ranking, accelerator: torch.device) -> Shape:
    """The largest batches whose values stay in the cache, as measured on one core."""
    whole = ranking.trained == "all"
    return Shape(
        devices=8 if whole else 64,
        moments=8 if whole else 32,
        spare=12 if whole else 250,
        fixed=accelerator.type != "cpu",
    )


def _add(
    total: Tensor,
    layers: Sequence[Recorded],
    recording: Recording,
    *,
    there: Tensor,
    clip: float,
) -> Tensor:
    """Adds to ``total``, and returns how many of the moments ``there`` were not finite."""
    if math.isinf(clip):
        plain = torch.zeros_like(total)
        _add_weighted(plain, layers, recording, there.to(total.dtype))
        # Nothing that is not finite adds up to what is: no norm need be known.
        if bool(plain.sum().isfinite()):
            total += plain
            return there.new_zeros(len(total), dtype=torch.int64)
    norms = torch.stack([layer.squared_norms() for layer in layers]).sum(0).sqrt()
    finite = norms.isfinite()
    if not bool(finite.all()):
        for layer in layers:
            layer.forget(~finite)
    scales = coefficients(norms, clip).where(there, 0.0).to(total.dtype)
    _add_weighted(total, layers, recording, scales)
    return (there & ~finite).sum(1)


def _add_weighted(
    total: Tensor, layers: Sequence[Recorded], recording: Recording, scales: Tensor
) -> None:
    parts = recording.parts(total)
    for layer in layers:
        layer.add_to(parts, scales)
