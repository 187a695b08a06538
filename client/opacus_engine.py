"""Trains one device after another with Opacus' per-example gradients."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

from client.draw import draw
from client.engine import Examples, Trained, Visit
from client.opacus_parts import GradSampleModule
from client.optimizer import MomentOptimizer
from client.scoring import scores
from privacy.sampling import PoissonSampling
from protocol.messages import Vector, Work
from ranking.build import trainable_names
from ranking.losses import LOSSES
from ranking.parameters import flatten, load_flat
from ranking.ranker import Ranker
from ranking.settings import Ranking


class OpacusEngine:
    """DP-SGD in which one example is one moment (Abadi et al. 2016).

    Guarantees, for every step of a visit and given the parameters before it:
      * adding or removing one moment moves the parameters by at most lr · clip / denominator,
        before noise and up to float rounding;
      * the noise's standard deviation is lr · noise multiplier · clip / denominator, whatever
        the library holds, also when no moment was drawn;
      * nothing is carried from one visit to the next.

    Without privacy it is the same path with an infinite clip and no noise. An engine whose
    training was interrupted by an exception is not to be used again: Opacus' hooks remember.
    """

    def __init__(self, ranker: Ranker, ranking: Ranking) -> None:
        """Takes over ``ranker``, whose frozen part is in place.

        Args:
            ranker: Changed from now on: hooks are attached and its trained part is overwritten.
            ranking: What is trained, by which loss.
        """
        self._ranker = ranker
        self._names = trainable_names(ranker, ranking.trained)
        self._loss = LOSSES[ranking.loss]
        for name, parameter in ranker.named_parameters():
            parameter.requires_grad_(name in self._names)
        self._parameters = _trained(ranker)
        self._of_photos = _trained(ranker.encoder)
        GradSampleModule(ranker, loss_reduction="sum")

    def train(
        self, parameters: Vector, visits: Iterable[Visit], *, work: Work
    ) -> Iterator[Trained]:
        """As of ``Engine``."""
        for visit in visits:
            yield self._visit(parameters, visit, work=work)

    def _visit(self, parameters: Vector, visit: Visit, *, work: Work) -> Trained:
        load_flat(self._ranker, self._names, parameters)
        optimizer = MomentOptimizer(
            torch.optim.SGD(self._parameters, lr=work.lr),
            work,
            noise=(visit.source.stream("noise", step) for step in range(work.steps)),
        )
        sampling = PoissonSampling(rate=work.rate)
        for step in range(work.steps):
            stream = visit.source.stream("sampling", step)
            parts = draw(visit.examples, sampling=sampling, stream=stream)
            for left, part in zip(reversed(range(len(parts))), parts, strict=True):
                self._set_gradients(part)
                optimizer.signal_skip_step(left > 0)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
        delta = flatten(self._ranker, self._names) - parameters
        return Trained(delta=delta, non_finite=optimizer.non_finite)

    def _set_gradients(self, part: Examples) -> None:
        """Leaves each parameter's gradient for every moment in its ``grad_sample``."""
        if not len(part.numbers):
            for parameter in self._parameters:
                parameter.grad_sample = parameter.new_zeros(0, *parameter.shape)
            return
        losses = self._loss(scores(self._ranker, part), part.gains, where=part.where)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Full backward hook is firing", UserWarning)
            torch.autograd.backward(losses.sum())
        self._gather_photos(part)

    def _gather_photos(self, part: Examples) -> None:
        """Sums what the encoder sees as rows of photos over the photos of each moment.

        It must happen before any norm is taken: clipping photo by photo would let one moment
        move the sum by as many clipping norms as it has photos.
        """
        moment_of_photo = part.where.nonzero()[:, 0]
        for parameter in self._of_photos:
            photos = parameter.grad_sample
            moments = photos.new_zeros(len(part.numbers), *parameter.shape)
            parameter.grad_sample = moments.index_add_(0, moment_of_photo, photos)


def _trained(module: nn.Module) -> list[Any]:
    """The trained parameters, on which Opacus hangs ``grad_sample`` [rows, …]."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]
