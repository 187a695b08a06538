"""Per-moment gradients of many devices by ``torch.func``: for modules of any kind."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from client.isolation import Isolated
from client.training.cohort_batch import Batch, Shape
from client.training.gradients import GRADIENTS_AT_ONCE
from client.training.scoring import Scorer
from privacy.clipping.moments import add_clipped
from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.model.ranker import Ranker
from ranking.parameters import place
from ranking.settings import Ranking


class Vmapped:
    """Per-moment clipping with every per-moment gradient in memory at once."""

    def __init__(self, ranker: Ranker, ranking: Ranking) -> None:
        """Keeps ``ranker``, whose frozen part is in place; it is read, never changed."""
        self._scorer = Scorer(ranker, kept=ranking.inputs)
        self._loss = LOSSES[ranking.loss]
        self.accelerator = place(ranker)
        self._names = trainable_names(ranker, ranking.trained)
        values = dict(ranker.named_parameters())
        for value in values.values():
            value.requires_grad_(False)
        self._shapes = [values[name].shape for name in self._names]
        self.size = sum(shape.numel() for shape in self._shapes)
        moments, whole = 8, ranking.trained == "all"
        self.shape = Shape(
            # torch.func makes one convolution of several devices', which rounds otherwise.
            devices=1 if whole else min(64, max(1, GRADIENTS_AT_ONCE // (moments * self.size))),
            moments=moments,
            spare=50,
            fixed=self.accelerator.type != "cpu",
        )
        self._gradients = vmap(vmap(grad(self._loss_of_moment), (None, 0, 0, 0)))

    def add_clipped(
        self, total: Tensor, parameters: Tensor, batch: Batch, *, clip: float
    ) -> Tensor:
        """Same as ``MomentGradients``; more devices than the shape's are taken in turn."""
        turns = range(0, len(parameters), self.shape.devices)
        found = [
            self._add(total[some], parameters[some], batch.of(some), clip=clip)
            for some in (slice(start, start + self.shape.devices) for start in turns)
        ]
        return torch.cat(found)

    def of_moments(self, parameters: Tensor, batch: Batch) -> Tensor:
        """Same as ``MomentGradients``."""
        parts = torch.split(parameters, [shape.numel() for shape in self._shapes], dim=1)
        own = {
            name: part.view(-1, *shape)
            for name, part, shape in zip(self._names, parts, self._shapes, strict=True)
        }
        with Isolated():
            found = self._gradients(own, batch.inputs, batch.gains, batch.where)
        return torch.cat([found[name].flatten(2) for name in self._names], dim=2)

    def _add(self, total: Tensor, parameters: Tensor, batch: Batch, *, clip: float) -> Tensor:
        gradients = self.of_moments(parameters, batch)
        there = batch.where.any(-1)
        counts = [
            add_clipped(of_device, mine[real], clip)
            for of_device, mine, real in zip(total, gradients, there, strict=True)
        ]
        return torch.tensor(counts, device=total.device)

    def _loss_of_moment(
        self, own: Mapping[str, Tensor], inputs: Tensor, gains: Tensor, where: Tensor
    ) -> Tensor:
        tree = {f"ranker.{name}": value for name, value in own.items()}
        scored = functional_call(self._scorer, tree, (inputs[None], where[None]))
        loss: Tensor = self._loss(scored, gains[None], where=where[None]).sum()
        return loss
