"""Per-moment gradients of many devices by ``torch.func``: for modules of any kind."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from client.cohort_batch import Batch
from client.scoring import Scorer
from privacy.clipping import clipped_sum
from ranking.build import trainable_names
from ranking.losses import LOSSES
from ranking.parameters import place
from ranking.ranker import Ranker
from ranking.settings import Ranking

LARGEST_GRADIENTS = 16 * 1024**2


class Vmapped:
    """Per-moment clipping with every per-moment gradient in memory at once."""

    def __init__(self, ranker: Ranker, ranking: Ranking) -> None:
        """Keeps ``ranker``, whose frozen part is in place; it is read, never changed."""
        self._scorer = Scorer(ranker)
        self._loss = LOSSES[ranking.loss]
        self.accelerator = place(ranker)
        self._names = trainable_names(ranker, ranking.trained)
        values = dict(ranker.named_parameters())
        for value in values.values():
            value.requires_grad_(False)
        self._shapes = [values[name].shape for name in self._names]
        size = sum(shape.numel() for shape in self._shapes)
        self.moments = 8
        self.spare = 50
        self.devices = min(64, max(1, LARGEST_GRADIENTS // (self.moments * size)))
        self._gradients = vmap(vmap(grad(self._of_moment), (None, 0, 0, 0)))

    def clipped(
        self, parameters: Tensor, batch: Batch, *, clip: float
    ) -> tuple[Tensor, Tensor]:
        """As of ``ClippedGradients``; more devices than ``devices`` are taken in turn."""
        turns = range(0, len(parameters), self.devices)
        found = [
            self._clipped(parameters[some], batch.of(some), clip=clip)
            for some in (slice(start, start + self.devices) for start in turns)
        ]
        sums, bad = zip(*found, strict=True)
        return torch.cat(sums), torch.cat(bad)

    def _clipped(
        self, parameters: Tensor, batch: Batch, *, clip: float
    ) -> tuple[Tensor, Tensor]:
        parts = torch.split(parameters, [shape.numel() for shape in self._shapes], dim=1)
        own = {
            name: part.view(-1, *shape)
            for name, part, shape in zip(self._names, parts, self._shapes, strict=True)
        }
        found = self._gradients(own, batch.inputs, batch.gains, batch.where)
        flat = torch.cat([found[name].flatten(2) for name in self._names], dim=2)
        clipped = [clipped_sum([of_device], clip) for of_device in flat]
        sums = torch.stack([device.sums[0] for device in clipped])
        return sums, torch.tensor([device.non_finite for device in clipped], device=sums.device)

    def _of_moment(
        self, own: Mapping[str, Tensor], inputs: Tensor, gains: Tensor, where: Tensor
    ) -> Tensor:
        tree = {f"ranker.{name}": value for name, value in own.items()}
        scored = functional_call(self._scorer, tree, (inputs[None], where[None]))
        loss: Tensor = self._loss(scored, gains[None], where=where[None]).sum()
        return loss
