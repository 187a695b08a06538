"""Which moments take part in a step: each by its own secret coin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from privacy.noise import Stream


@dataclass(frozen=True, slots=True)
class PoissonSampling:
    """Includes every moment independently of all others.

    Attributes:
        rate: Probability of each moment, the same on every device.
    """

    rate: float

    def draw(self, numbers: NDArray[np.int64], *, stream: Stream) -> NDArray[np.bool_]:
        """Returns which of the moments take part; none is a legal draw.

        Guarantees that a moment's coin depends on the stream and on its own number alone, so
        that adding or removing another moment leaves it as it is.

        Args:
            numbers: [moments] their own numbers, distinct.
            stream: Secret draws of this step.

        Returns:
            [moments] bool.
        """
        return stream.keyed_uniform(numbers) < self.rate
