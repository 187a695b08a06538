"""Trains many devices at once: one forward and one backward pass for all of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from client.cohort_batch import Batch, Draw, Shelf
from client.engine import Trained, Visit
from client.memory import keep_freed_memory
from privacy.dpsgd import release
from privacy.sampling import PoissonSampling
from protocol.messages import Vector, Work


class ClippedGradients(Protocol):
    """Sums per-moment gradients, clipped, for many devices."""

    @property
    def accelerator(self) -> torch.device:
        """Where the sums are made."""
        ...

    @property
    def devices(self) -> int:
        """Devices in one call at most; a batch is a function of the cohort alone."""
        ...

    @property
    def moments(self) -> int:
        """Moments of one device in one call at most."""
        ...

    @property
    def spare(self) -> int:
        """Photos of padding that cost as much as one call more."""
        ...

    def clipped(
        self, parameters: Tensor, batch: Batch, *, clip: float
    ) -> tuple[Tensor, Tensor]:
        """Returns the sums and how many moments were not finite, for every device.

        A moment contributes a vector of L2 norm at most ``clip`` up to float rounding, zero
        when its gradient is not finite; nothing of one device reaches another.

        Args:
            parameters: [devices, trainable] float32.
            batch: Their moments.
            clip: Largest norm; infinite for a plain sum.

        Returns:
            [devices, trainable] and [devices] int64.
        """
        ...


class CohortEngine:
    """DP-SGD in which one example is one moment (Abadi et al. 2016), for many devices at once.

    Guarantees what ``OpacusEngine`` does, for each device, and gives the same updates up to
    float rounding; in addition, whatever stands in one device's moments changes no bit of
    another device's update.
    """

    def __init__(self, gradients: ClippedGradients) -> None:
        keep_freed_memory()
        self._gradients = gradients

    def train(
        self, parameters: Vector, visits: Iterable[Visit], *, work: Work
    ) -> Iterator[Trained]:
        """As of ``Engine``; visits are read some at a time."""
        waiting: list[Visit] = []
        for visit in visits:
            waiting.append(visit)
            if len(waiting) == self._gradients.devices:
                yield from self._together(parameters, waiting, work=work)
                waiting = []
        if waiting:
            yield from self._together(parameters, waiting, work=work)

    def _together(self, start: Vector, visits: Sequence[Visit], *, work: Work) -> list[Trained]:
        shelf = Shelf(
            [visit.examples for visit in visits], accelerator=self._gradients.accelerator
        )
        parameters = torch.tensor(start).repeat(len(visits), 1)
        non_finite = torch.zeros(len(visits), dtype=torch.int64)
        for step in range(work.steps):
            drawn = shelf.draw(_drawn(visits, PoissonSampling(rate=work.rate), step=step))
            sums, bad = self._summed(parameters, shelf, drawn, clip=work.clip)
            non_finite[drawn.order] += bad
            for device, total in zip(drawn.order.tolist(), sums, strict=True):
                _descend(parameters[device], total, visits[device], work=work, step=step)
        deltas = parameters.numpy() - start
        return [
            Trained(delta=delta, non_finite=count)
            for delta, count in zip(deltas, non_finite.tolist(), strict=True)
        ]

    def _summed(
        self, parameters: Tensor, shelf: Shelf, drawn: Draw, *, clip: float
    ) -> tuple[Tensor, Tensor]:
        """The clipped sums of a step on the host, devices in the order of ``drawn``."""
        if not drawn.sorted:
            parameters = parameters[drawn.order]
        parameters = parameters.to(self._gradients.accelerator)
        sums = parameters.new_empty(0, parameters.shape[1])
        non_finite = torch.zeros(len(parameters), dtype=torch.int64)
        for batch in shelf.batches(
            drawn, moments=self._gradients.moments, spare=self._gradients.spare
        ):
            first = slice(len(batch.where))
            some, bad = self._gradients.clipped(parameters[first], batch, clip=clip)
            non_finite[first] += bad.cpu()
            if len(sums):
                sums[first] += some
            else:
                sums = some
        return pad(sums, (0, 0, 0, len(parameters) - len(sums))).cpu(), non_finite


def _drawn(
    visits: Sequence[Visit], sampling: PoissonSampling, *, step: int
) -> NDArray[np.bool_]:
    """[all moments]: every device tosses its own coins."""
    return np.concatenate(
        [
            sampling.draw(
                visit.examples.numbers.numpy(), stream=visit.source.stream("sampling", step)
            )
            for visit in visits
        ]
    )


def _descend(parameters: Tensor, total: Tensor, visit: Visit, *, work: Work, step: int) -> None:
    """Moves a device's parameters [trainable], in place, by what leaves clipping and noise."""
    stream = visit.source.stream("noise", step)
    released = release(total.numpy(), deviation=work.deviation, stream=stream)
    parameters.sub_(torch.from_numpy(released).float(), alpha=work.lr / work.denominator)
