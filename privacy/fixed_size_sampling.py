"""Which devices take part in a round: always so many of them, drawn without replacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from privacy.noise import Stream


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedSizeSampling:
    """A cohort of exactly ``cohort`` devices, each set of them as likely as any other.

    A device has a secret number from [0, 1) in each round, and those with the smallest take
    part. Numbers of 53 bits tie with a probability below devices² · 2⁻⁵⁴.

    Attributes:
        devices: Devices in the population, a public number.
        cohort: Devices of every round, a public number.

    Raises:
        ValueError: The cohort is empty or exceeds the population.
    """

    devices: int
    cohort: int

    def __post_init__(self) -> None:
        if not 1 <= self.cohort <= self.devices:
            raise ValueError(
                f"server.cohort={self.cohort} must be from 1 to photos.devices="
                f"{self.devices}; change one of the two."
            )

    @property
    def rate(self) -> float:
        """Probability of a device in a round."""
        return self.cohort / self.devices

    def draw(self, *, stream: Stream) -> NDArray[np.int64]:
        """Returns the numbers of a round's devices: [cohort], ascending, distinct.

        Args:
            stream: Secret draws of this round.
        """
        coins = stream.keyed_uniform(np.arange(self.devices, dtype=np.int64))
        smallest: NDArray[np.int64] = np.argpartition(coins, self.cohort - 1)[: self.cohort]
        return np.sort(smallest).astype(np.int64)
