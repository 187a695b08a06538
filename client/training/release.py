"""What is released of a device: the sum of a step, and its update."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from privacy.clipping.updates import clipped_update
from privacy.integers.grid import IntegerGrid
from privacy.integers.release import integer_release
from privacy.mechanisms.moments.dpsgd import release
from privacy.noise import Source, Stream
from protocol.messages import Vector, VisitTerms

StepSum = NDArray[np.float64 | np.float32 | np.int64]
"""A step's sum: float32 where nothing is clipped, whole steps of a grid for integers."""


def step_release(total: StepSum, terms: VisitTerms, *, stream: Stream) -> NDArray[np.float64]:
    """Returns a step's sum with its noise, in the unit of the gradients.

    Args:
        total: [trainable] the sum; whole steps of the grid of ``terms.clip`` where
            ``terms.integers``.
        terms: The terms of the visit.
        stream: Secret draws of this step and of nothing else.
    """
    if not terms.integers:
        floats = cast("NDArray[np.float64]", total)
        return release(floats, deviation=terms.deviation, stream=stream)
    grid = IntegerGrid(clip=terms.clip)
    deviation = grid.deviation(terms.noise_multiplier)
    whole = cast("NDArray[np.int64]", total)
    return integer_release(whole, grid, deviation=deviation, stream=stream)


def protected(delta: Vector, *, terms: VisitTerms, source: Source) -> Vector:
    """Returns the update that may leave: clipped, then with noise of its own.

    Args:
        delta: [trainable] the difference of the parameters.
        terms: The public terms; without ``update_clip`` the update stays as it is.
        source: The device's secret draws of this visit.
    """
    if not np.isfinite(terms.update_clip):
        return delta
    clipped = clipped_update(delta, terms.update_clip)
    released = release(
        clipped, deviation=terms.update_deviation, stream=source.stream("update")
    )
    return released.astype(np.float32)
