"""A release in integers: noise is added before the sum goes back to its own unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from privacy.integers import discrete_gaussian

if TYPE_CHECKING:
    from privacy.integers.grid import IntegerGrid, Integers
    from privacy.noise import Stream


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
