"""What leaves a local step: its sum with noise, by the numbers that its terms name."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from privacy.dpsgd import release
from privacy.integer_grid import IntegerGrid
from privacy.integer_sum import integer_release
from privacy.noise import Stream
from protocol.messages import Work

StepSum = NDArray[np.float64 | np.float32 | np.int64]
"""A step's sum: float32 where nothing is clipped, whole steps of a grid for integers."""


def step_release(total: StepSum, work: Work, *, stream: Stream) -> NDArray[np.float64]:
    """Returns a step's sum with its noise, in the unit of the gradients.

    Args:
        total: [trainable] the sum; whole steps of the grid of ``work.clip`` where
            ``work.integers``.
        work: The terms of the visit.
        stream: Secret draws of this step and of nothing else.
    """
    if not work.integers:
        floats = cast("NDArray[np.float64]", total)
        return release(floats, deviation=work.deviation, stream=stream)
    grid = IntegerGrid(clip=work.clip)
    deviation = grid.deviation(work.noise_multiplier)
    whole = cast("NDArray[np.int64]", total)
    return integer_release(whole, grid, deviation=deviation, stream=stream)
