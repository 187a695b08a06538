"""Who is asked and what is released, round by round, for the unit *device* at the server."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from privacy.correlation.noise import CorrelatedNoise
from privacy.correlation.separation import MinSeparation
from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.noise import Source
from privacy.sampling.capped import CappedPoissonSampling
from protocol.messages import Vector
from server.aggregation.mean import (
    Mean,
    adaptive_mean,
    correlated_mean,
    integer_mean,
    protected_mean,
)

Numbers = NDArray[np.int64]


class Release(Protocol):
    """One mechanism with what it remembers from round to round."""

    def cohort(self, source: Source) -> Numbers:
        """Returns the devices of the next round, ascending."""
        ...

    def mean(self, deltas: Iterable[Vector], *, source: Source) -> Mean:
        """Returns what is released of a round, also where nobody came."""
        ...


class _PoissonCohorts:
    """Cohorts by secret coins."""

    def __init__(self, sampling: CappedPoissonSampling) -> None:
        self._sampling = sampling

    def cohort(self, source: Source) -> Numbers:
        """Draws every device by its own secret coin."""
        return self._sampling.draw(stream=source.stream("cohort"))


class IndependentRelease(_PoissonCohorts):
    """Poisson cohorts, one clip, independent noise."""

    def __init__(
        self, mechanism: CohortGaussian, *, size: int, layers: Sequence[int] = ()
    ) -> None:
        super().__init__(mechanism.sampling)
        self._mechanism = mechanism
        self._size = size
        self._layers = layers

    def mean(self, deltas: Iterable[Vector], *, source: Source) -> Mean:
        """Returns ``protected_mean``."""
        return protected_mean(
            deltas, self._mechanism, size=self._size, source=source, layers=self._layers
        )


class IntegerRelease(_PoissonCohorts):
    """Poisson cohorts, one clip, and discrete noise on an exact sum of integers."""

    def __init__(self, mechanism: IntegerGaussian, *, size: int) -> None:
        super().__init__(mechanism.sampling)
        self._mechanism = mechanism
        self._size = size

    def mean(self, deltas: Iterable[Vector], *, source: Source) -> Mean:
        """Returns ``integer_mean``."""
        return integer_mean(deltas, self._mechanism, size=self._size, source=source)


class AdaptiveRelease(_PoissonCohorts):
    """Poisson cohorts, independent noise, and a clip that follows the updates."""

    def __init__(
        self, mechanism: AdaptiveGaussian, *, size: int, layers: Sequence[int] = ()
    ) -> None:
        super().__init__(mechanism.sampling)
        self._mechanism = mechanism
        self._size = size
        self._layers = layers
        self._clip = mechanism.clip

    def mean(self, deltas: Iterable[Vector], *, source: Source) -> Mean:
        """Returns ``adaptive_mean``, and moves the clip."""
        mean = adaptive_mean(
            deltas,
            self._mechanism,
            clip=self._clip,
            size=self._size,
            source=source,
            layers=self._layers,
        )
        self._clip = self._mechanism.next_clip(self._clip, unclipped=mean.told["unclipped"])
        return mean


class SeparatedRelease:
    """Cohorts whose devices have rested, correlated noise: nothing is trusted to coins."""

    def __init__(
        self,
        mechanism: CorrelatedGaussian,
        noise: CorrelatedNoise,
        *,
        cohort: int,
        devices: int,
        layers: Sequence[int] = (),
    ) -> None:
        self._mechanism = mechanism
        self._noise = noise
        self._cohort = cohort
        self._devices = devices
        self._layers = layers
        self._separation = MinSeparation(mechanism.separation, mechanism.participations)
        self._rounds = 0

    def cohort(self, source: Source) -> Numbers:
        """Draws from those that have rested, and enters them whether or not they answer."""
        numbers = np.arange(self._devices, dtype=np.int64)
        rested = numbers[self._separation.eligible(numbers, self._rounds)]
        order = np.argsort(source.stream("cohort").keyed_uniform(rested))
        drawn = np.sort(rested[order[: self._cohort]])
        self._separation.took_part(drawn, self._rounds)
        self._rounds += 1
        return drawn

    def mean(self, deltas: Iterable[Vector], *, source: Source) -> Mean:
        """Returns ``correlated_mean``."""
        return correlated_mean(
            deltas,
            self._noise,
            clip=self._mechanism.clip,
            deviation=self._mechanism.noise_multiplier * self._mechanism.clip,
            expected=self._cohort,
            source=source,
            layers=self._layers,
        )


class BandedRelease:
    """Poisson cohorts within bands that take turns, correlated noise."""

    def __init__(
        self,
        mechanism: BandedGaussian,
        noise: CorrelatedNoise,
        *,
        devices: int,
        layers: Sequence[int] = (),
    ) -> None:
        self._mechanism = mechanism
        self._noise = noise
        self._devices = devices
        self._layers = layers
        self._rounds = 0

    def cohort(self, source: Source) -> Numbers:
        """Draws by secret coins within the band whose turn it is."""
        band = self._mechanism.band(self._rounds, devices=self._devices)
        self._rounds += 1
        drawn = self._mechanism.sampling.draw(stream=source.stream("cohort"))
        return band[drawn[drawn < len(band)]]

    def mean(self, deltas: Iterable[Vector], *, source: Source) -> Mean:
        """Returns ``correlated_mean``."""
        sampling = self._mechanism.sampling
        return correlated_mean(
            deltas,
            self._noise,
            clip=self._mechanism.clip,
            deviation=self._mechanism.noise_multiplier * self._mechanism.clip,
            expected=sampling.rate * sampling.devices,
            source=source,
            layers=self._layers,
        )
