"""Correlated noise with sampled cohorts: bands of devices take turns, by secret coins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.sampling.capped import CappedPoissonSampling


@dataclass(frozen=True, kw_only=True, slots=True)
class BandedGaussian:
    """Banded correlated noise over cohorts drawn within bands, unit *device*.

    Device d belongs to band d modulo ``bands``, and round t (from 0) draws by ``sampling`` from
    band t modulo ``bands``. A device's columns of C then never meet in a row, so that a run is
    no worse than ⌈rounds / bands⌉ rounds of ``CohortGaussian`` within its band, at the noise
    multiplier over the norm of a column (arXiv 2306.08153, theorem 4). Formal guarantee: that
    of ``CohortGaussian``, for secret coins; to which band a device belongs is public.

    Attributes:
        sampling: Who takes part, of the devices of the largest band.
        bands: Bands, at least as many as there are coefficients.
        coefficients: The first column of C; those not given are zero.
        noise_multiplier: Standard deviation of Z over the clip.
        clip: Largest L2 norm of one update.
        delta: The δ of the guarantee.
    """

    sampling: CappedPoissonSampling
    bands: int
    coefficients: tuple[float, ...]
    noise_multiplier: float
    clip: float
    delta: float

    def __post_init__(self) -> None:
        if len(self.coefficients) > self.bands:
            raise ValueError(
                f"{len(self.coefficients)} coefficients must be at most bands={self.bands}: "
                "columns of one device would meet."
            )

    @property
    def accounted(self) -> CohortGaussian:
        """What ``bands`` rounds cost."""
        return CohortGaussian(
            sampling=self.sampling,
            noise_multiplier=self.noise_multiplier / float(np.linalg.norm(self.coefficients)),
            clip=self.clip,
            delta=self.delta,
        )

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds, by privacy loss distributions."""
        return self.accounted.epsilon(math.ceil(rounds / self.bands))

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, as of ``CohortGaussian``."""
        return self.accounted.epsilon_rdp(math.ceil(rounds / self.bands))

    def band(self, number: int, *, devices: int) -> NDArray[np.int64]:
        """Returns the devices of round ``number``'s band, ascending.

        Args:
            number: The number of the round, from 0 upwards.
            devices: Devices of the population.
        """
        return np.arange(number % self.bands, devices, self.bands, dtype=np.int64)
