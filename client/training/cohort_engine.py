"""Trains many devices at once: one forward and one backward pass for all of them."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from client.embeddings.memory import keep_freed_memory
from client.engine import Trained, Visit
from client.training.cohort_batch import Batch, CohortMoments
from client.training.gradients import GRADIENTS_AT_ONCE, OfMoments
from client.training.release import StepSum, step_release
from privacy.clipping.moments import precise
from privacy.integers.grid import IntegerGrid
from privacy.sampling.poisson import PoissonSampling
from protocol.messages import Vector, VisitTerms
from ranking.parameters import check_flat

ALIGNED = 16
"""Numbers of float32 in a cache line of 64 bytes, to which torch aligns a tensor."""


class MomentGradients(OfMoments, Protocol):
    """Also adds them up, clipped."""

    @property
    def size(self) -> int:
        """Number of trained parameters."""
        ...

    def add_clipped(
        self, total: Tensor, parameters: Tensor, batch: Batch, *, clip: float
    ) -> Tensor:
        """Adds the clipped gradients of every device's moments to its sum.

        A moment contributes a vector of L2 norm at most ``clip``, zero when its gradient is not
        finite. It is a function of the parameters and the moment alone, bit for bit, and one
        moment more moves the sum by at most ``privacy.clipping.sensitivity.SENSITIVITY`` clips.

        Args:
            total: [devices, trainable] float64, or float32 where nothing is clipped; changed.
            parameters: [devices, trainable] float32.
            batch: Their moments.
            clip: Largest norm; infinite for a plain sum.

        Returns:
            [devices] int64 how many moments were not finite.
        """
        ...


class CohortEngine:
    """DP-SGD in which one example is one moment (Abadi et al. 2016), for many devices at once.

    Guarantees what ``Engine`` does, for each device. Devices that train together change each
    other's updates by the last rounding of a float64 sum at most, whatever stands in their
    moments.
    """

    def __init__(self, gradients: MomentGradients) -> None:
        keep_freed_memory()
        self._gradients = gradients

    def train(
        self, parameters: Vector, visits: Iterable[Visit], *, terms: VisitTerms
    ) -> Iterator[Trained]:
        """Same as ``Engine``; visits are read some at a time."""
        check_flat(parameters, self._gradients.size)
        waiting: list[Visit] = []
        for visit in visits:
            waiting.append(visit)
            if len(waiting) == self._gradients.shape.devices:
                yield from self._together(parameters, waiting, terms=terms)
                waiting = []
        if waiting:
            yield from self._together(parameters, waiting, terms=terms)

    def _together(
        self, start: Vector, visits: Sequence[Visit], *, terms: VisitTerms
    ) -> list[Trained]:
        cohort = CohortMoments(
            [visit.examples for visit in visits],
            shape=self._gradients.shape,
            accelerator=self._gradients.accelerator,
        )
        rows = _rows(start, len(visits))
        non_finite = torch.zeros(len(visits), dtype=torch.int64)
        for step in range(terms.steps):
            drawn = _drawn(visits, PoissonSampling(rate=terms.rate), step=step)
            batches = cohort.batches(drawn)
            sums, bad = self._summed(rows, batches, size=len(start), terms=terms)
            non_finite += bad
            for own, total, visit in zip(rows[:, : len(start)], sums, visits, strict=True):
                _descend(own, total, visit, terms=terms, step=step)
        # Parameters that are not finite are the sender's affair: a warning would name them.
        with np.errstate(invalid="ignore", over="ignore"):
            deltas = rows[:, : len(start)].numpy() - start
        return [
            Trained(delta=delta, non_finite=count)
            for delta, count in zip(deltas, non_finite.tolist(), strict=True)
        ]

    def _summed(
        self, rows: Tensor, batches: Iterable[Batch], *, size: int, terms: VisitTerms
    ) -> tuple[StepSum, Tensor]:
        """[devices, trainable] clipped sums of a step, on the host, and who was not finite."""
        rows = rows.to(self._gradients.accelerator)
        if terms.integers:
            grid = IntegerGrid(clip=terms.clip)
            return integer_sums(self._gradients, rows, batches, size=size, grid=grid)
        kind = torch.float32 if math.isinf(terms.clip) else precise(rows[:0]).dtype
        sums = rows.new_zeros(len(rows), size, dtype=kind)
        non_finite = torch.zeros(len(rows), dtype=torch.int64, device=sums.device)
        for batch in batches:
            if batch.devices is None:
                own = rows[:, :size]
                non_finite += self._gradients.add_clipped(sums, own, batch, clip=terms.clip)
                continue
            own = rows[batch.devices][:, :size]
            some = torch.zeros_like(own, dtype=sums.dtype)
            bad = self._gradients.add_clipped(some, own, batch, clip=terms.clip)
            sums.index_add_(0, batch.devices, some)
            non_finite.index_add_(0, batch.devices, bad)
        return sums.cpu().numpy(), non_finite.cpu()


def _rows(start: Vector, devices: int) -> Tensor:
    """[devices, trainable and more] the parameters of every device, each aligned alike.

    Kernels may choose their course by the address of what they read.
    """
    rows = torch.zeros(devices, -(-len(start) // ALIGNED) * ALIGNED)
    rows[:, : len(start)] = torch.tensor(start)
    return rows


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


def _descend(
    parameters: Tensor,
    total: StepSum,
    visit: Visit,
    *,
    terms: VisitTerms,
    step: int,
) -> None:
    """Moves a device's parameters [trainable], in place, by what leaves clipping and noise."""
    released = step_release(total, terms, stream=visit.source.stream("noise", step))
    parameters.sub_(torch.from_numpy(released).float(), alpha=terms.lr / terms.denominator)


def integer_sums(
    gradients: OfMoments,
    rows: Tensor,
    batches: Iterable[Batch],
    *,
    size: int,
    grid: IntegerGrid,
) -> tuple[NDArray[np.int64], Tensor]:
    """Returns every device's sum of the integers of its moments, on the host.

    Exact, so the same in any order and in any batches.

    Args:
        gradients: Computes the gradient of each moment.
        rows: [devices, trainable and more] the devices' parameters, each aligned alike.
        batches: The moments of the step.
        size: Number of trained parameters.
        grid: What each gradient is rounded to.

    Returns:
        [devices, trainable] and [devices] int64 how many moments were not finite.
    """
    sums = np.zeros((len(rows), size), np.int64)
    non_finite = torch.zeros(len(rows), dtype=torch.int64)
    for batch in batches:
        devices = range(len(rows)) if batch.devices is None else batch.devices.tolist()
        at_once = max(1, GRADIENTS_AT_ONCE // (batch.where.shape[1] * size))
        if gradients.shape.fixed:
            at_once = len(devices)
        for first in range(0, len(devices), at_once):
            some = slice(first, first + at_once)
            own, part = rows[list(devices[some])], batch.of(some)
            found = gradients.of_moments(own[:, :size], part).cpu().numpy()
            there = part.where.any(-1).cpu().numpy()
            for device, of_device, real in zip(devices[some], found, there, strict=True):
                total, missing = grid.integers_of_rows(of_device[real])
                sums[device] += total
                non_finite[device] += missing
    return sums, non_finite
