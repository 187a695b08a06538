"""A release in integers: clip, round, add up, add noise, and only then go back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from privacy.integers import discrete_gaussian

if TYPE_CHECKING:
    from privacy.integers.grid import IntegerGrid, Integers
    from privacy.mechanisms.integer_gaussian import IntegerGaussian
    from privacy.noise import Stream


def integer_sum(
    updates: Iterable[NDArray[np.float32]],
    mechanism: IntegerGaussian,
    *,
    size: int,
    stream: Stream,
) -> NDArray[np.float64]:
    """Returns [size] the noisy sum of clipped updates, in their own unit.

    Guarantees:
      * an update moves the integers of the sum by a vector of norm at most ``mechanism.steps``,
        whatever it holds; one that is not finite does not move them;
      * the noise is discrete Gaussian with ``mechanism.deviation``, also where nobody came;
      * the integer sum is exact and the same in any order, so that it may be taken modulo a
        power of two and under masks: what follows it is one product by a public number.

    Args:
        updates: [size] each, fewer than 2^42 of them.
        mechanism: What runs and is accounted.
        size: Length of an update.
        stream: Secret draws of this round and of nothing else.

    Raises:
        ValueError: An update has another length: spread over the sum it would pass the bound.
    """
    grid = mechanism.grid
    total = np.zeros(size, np.int64)
    for update in updates:
        if update.shape != (size,):
            raise ValueError(
                f"an update of shape {update.shape} must have the shape ({size},); refuse it "
                "before it is added."
            )
        total += grid.integers(update)
    return integer_release(total, grid, deviation=mechanism.deviation, stream=stream)


def integer_release(
    total: Integers, grid: IntegerGrid, *, deviation: int, stream: Stream
) -> NDArray[np.float64]:
    """Returns a sum of integers with discrete Gaussian noise on each, in the unit of the grid.

    Args:
        total: [size] the sum; zero where nobody was drawn.
        grid: What the vectors were rounded to.
        deviation: The parameter of the noise in steps; 0 adds nothing.
        stream: Secret draws of this release and of nothing else.
    """
    noise = discrete_gaussian.draw(len(total), deviation=deviation, stream=stream)
    return grid.values(total + noise)
