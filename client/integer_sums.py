"""A step's sums in whole numbers: every moment rounded by itself, its norm checked again."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from client.cohort_batch import Batch
from client.gradients import GRADIENTS_AT_ONCE, OfMoments
from privacy.integer_grid import IntegerGrid

Integers = NDArray[np.int64]


def integer_sums(
    gradients: OfMoments,
    rows: Tensor,
    batches: Iterable[Batch],
    *,
    size: int,
    grid: IntegerGrid,
) -> tuple[Integers, Tensor]:
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
