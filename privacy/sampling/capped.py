"""Which devices take part in a round: each by its own secret coin, and never too many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from privacy import deferred

if TYPE_CHECKING:
    from privacy.noise import Stream

DEVIATIONS = 9
"""Roots of the expected cohort that a cap leaves above it. It then cuts a round with
probability 1e-8 where one device is expected, 6e-11 where four are and 3e-15 where fifty are.
The fewer, the oftener it cuts, and the sooner ``accounting.coupling`` has no bound."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CappedPoissonSampling:
    """Poisson sampling of devices with a hard cap.

    Every device tosses a coin of its own; where more than ``cap`` are drawn, a uniform subset
    of ``cap`` of them takes part: the truncated Poisson sampling of arXiv 2411.04205, which is
    what is accounted.

    Attributes:
        devices: Devices in the population, a public number.
        rate: Probability of each.
        cap: Devices of one cohort at most.
    """

    devices: int
    rate: float
    cap: int

    @classmethod
    def expecting(
        cls, cohort: float, *, devices: int, cap: int | None
    ) -> CappedPoissonSampling:
        """Returns the sampling of ``cohort`` devices on average.

        Args:
            cohort: Expected devices of a round.
            devices: Devices in the population.
            cap: Devices of a round at most; None for nine standard deviations above the mean.
        """
        usual = math.ceil(cohort + DEVIATIONS * math.sqrt(cohort))
        most = usual if cap is None else cap
        return cls(devices=devices, rate=cohort / devices, cap=min(most, devices))

    @property
    def expected(self) -> float:
        """Devices expected in a round: the public divisor of its sum."""
        return self.rate * self.devices

    @property
    def overflow(self) -> float:
        """Probability that more devices are drawn than may take part."""
        return float(deferred.stats.binom.sf(self.cap, self.devices, self.rate))

    def draw(self, *, stream: Stream) -> NDArray[np.int64]:
        """Returns the numbers of a round's devices, ascending; none is a legal draw.

        Args:
            stream: Secret draws of this round: the privacy of sampling is theirs.
        """
        numbers = np.arange(self.devices, dtype=np.int64)
        drawn = numbers[stream.keyed_uniform(numbers) < self.rate]
        if len(drawn) > self.cap:
            # Numbers beyond the devices': draws of their own.
            order = np.argsort(stream.keyed_uniform(drawn + self.devices))
            drawn = np.sort(drawn[order[: self.cap]])
        return drawn
