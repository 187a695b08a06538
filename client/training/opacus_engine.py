"""Trains one device after another with Opacus' per-example gradients."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from client.engine import Trained, Visit
from client.isolation import Isolated
from client.training.cohort_batch import Batch, CohortMoments, Shape
from client.training.opacus_parts import GradSampleModule
from client.training.optimizer import MomentOptimizer
from client.training.scoring import Scorer
from privacy.sampling.poisson import PoissonSampling
from protocol.messages import Vector, VisitTerms
from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.model.ranker import Ranker
from ranking.parameters import flatten, load_flat, place
from ranking.settings import Ranking

MOMENTS_AT_ONCE = 32
"""Moments of one pass at most: their gradients of all 126,881 weights take 16 MB. The bound on
rounding in ``privacy.clipping.sensitivity`` counts on no more in a product."""

SPARE = 250
"""Photos of padding that cost no more than another pass, as measured for book-keeping."""


class OpacusEngine:
    """DP-SGD in which one example is one moment (Abadi et al. 2016).

    Guarantees what ``Engine`` does, one device after another. Without privacy it is the same
    path with an infinite clip and no noise. An engine whose training was interrupted by an
    exception is not to be used again: Opacus' hooks remember.
    """

    def __init__(self, ranker: Ranker, ranking: Ranking) -> None:
        """Takes over ``ranker``, whose frozen part is in place.

        Args:
            ranker: Changed from now on: hooks are attached and its trained part is overwritten.
            ranking: What is trained, by which loss.
        """
        self._ranker = ranker
        self._scorer = Scorer(ranker, kept=ranking.inputs)
        self._names = trainable_names(ranker, ranking.trained)
        self._loss = LOSSES[ranking.loss]
        for name, parameter in ranker.named_parameters():
            parameter.requires_grad_(name in self._names)
        self._parameters = _trained(ranker)
        self._of_photos = _trained(ranker.encoder)
        self.accelerator = place(ranker)
        self.shape = Shape(
            devices=1,
            moments=MOMENTS_AT_ONCE,
            spare=SPARE,
            fixed=self.accelerator.type != "cpu",
        )
        GradSampleModule(ranker, loss_reduction="sum")

    def train(
        self, parameters: Vector, visits: Iterable[Visit], *, terms: VisitTerms
    ) -> Iterator[Trained]:
        """Same as ``Engine``."""
        for visit in visits:
            yield self._visit(parameters, visit, terms=terms)

    def of_moments(self, parameters: Tensor, batch: Batch) -> Tensor:
        """Same as ``MomentGradients``, of one device."""
        load_flat(self._ranker, self._names, parameters[0].cpu().numpy())
        self._set_gradients(batch)
        gradients = [parameter.grad_sample.flatten(1) for parameter in self._parameters]
        self._ranker.zero_grad(set_to_none=True)
        for parameter in self._parameters:
            parameter.grad_sample = None
        return torch.cat(gradients, dim=1)[None]

    def _visit(self, parameters: Vector, visit: Visit, *, terms: VisitTerms) -> Trained:
        load_flat(self._ranker, self._names, parameters)
        optimizer = MomentOptimizer(
            torch.optim.SGD(self._parameters, lr=terms.lr),
            terms,
            noise=(visit.source.stream("noise", step) for step in range(terms.steps)),
        )
        cohort = CohortMoments([visit.examples], shape=self.shape, accelerator=self.accelerator)
        numbers, sampling = visit.examples.numbers.numpy(), PoissonSampling(rate=terms.rate)
        for step in range(terms.steps):
            stream = visit.source.stream("sampling", step)
            self._step(cohort, sampling.draw(numbers, stream=stream), optimizer)
        with np.errstate(invalid="ignore", over="ignore"):
            delta = flatten(self._ranker, self._names) - parameters
        return Trained(delta=delta, non_finite=optimizer.non_finite)

    def _step(
        self,
        cohort: CohortMoments,
        drawn: NDArray[np.bool_],
        optimizer: MomentOptimizer,
    ) -> None:
        batches: list[Batch | None] = [*cohort.batches(drawn)]
        batches = batches or [None]
        for left, batch in zip(reversed(range(len(batches))), batches, strict=True):
            self._set_gradients(batch)
            optimizer.signal_skip_step(left > 0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def _set_gradients(self, batch: Batch | None) -> None:
        """Leaves each parameter's gradient for every moment in its ``grad_sample``."""
        if batch is None:
            for parameter in self._parameters:
                parameter.grad_sample = parameter.new_zeros(0, *parameter.shape)
            return
        with Isolated(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Full backward hook is firing", UserWarning)
            scored = self._scorer(batch.inputs[0], batch.where[0])
            losses = self._loss(scored, batch.gains[0], where=batch.where[0])
            torch.autograd.backward(losses.sum())
        self._gather_photos(batch)
        self._forget_padding(batch)

    def _gather_photos(self, batch: Batch) -> None:
        """Sums what the encoder sees as rows of photos over the photos of each moment.

        It must happen before any norm is taken: clipping photo by photo would let one moment
        move the sum by as many clipping norms as it has photos.
        """
        moments = batch.where.shape[1]
        for parameter in self._of_photos:
            photos = parameter.grad_sample
            parameter.grad_sample = photos.view(moments, -1, *parameter.shape).sum(1)

    def _forget_padding(self, batch: Batch) -> None:
        """Makes the gradients of moments of padding zero, which hostile parameters make NaN."""
        padding = ~batch.where[0].any(-1)
        for parameter in self._parameters:
            parameter.grad_sample[padding] = 0


def _trained(module: nn.Module) -> list[Any]:
    """The trained parameters, on which Opacus hangs ``grad_sample`` [rows, …]."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]
