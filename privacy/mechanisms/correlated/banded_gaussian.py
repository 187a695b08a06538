"""Correlated noise with sampled cohorts: bands of devices take turns, by secret coins."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from privacy.accounting.steps import Steps
from privacy.mechanisms.base.mechanism import (
    CentralMechanism,
    coefficients_of,
    sampling_of,
    whole,
)
from privacy.mechanisms.base.release import Mean, Numbers, State, Update, check_names
from privacy.mechanisms.correlated.separated_gaussian import (
    NOISE,
    ROUNDS,
    correlated_mean,
    noise_state,
    restore_noise,
)
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.sampling.capped import CappedPoissonSampling

if TYPE_CHECKING:
    from privacy.correlation.noise import CorrelatedNoise
    from privacy.ledger.records import Noise, Terms
    from privacy.noise import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class BandedGaussian(CentralMechanism):
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

    sampler = "banded"
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
            noise_multiplier=self.noise_multiplier / self.column,
            clip=self.clip,
            delta=self.delta,
        )

    @property
    def column(self) -> float:
        """The norm of a column: over it a device's share of the noise is taken."""
        return float(np.linalg.norm(self.coefficients))

    def turns(self, rounds: int) -> int:
        """Returns how many rounds a band has at most."""
        return math.ceil(rounds / self.bands)

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds, by privacy loss distributions."""
        return self.accounted.epsilon(self.turns(rounds))

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε: that of ``accounted``."""
        return self.accounted.epsilon_rdp(self.turns(rounds))

    def noise_for(self, target: float, rounds: int) -> float:
        """Returns a noise multiplier, within 0.5% of the least, that keeps ``target``."""
        return self.accounted.noise_for(target, self.turns(rounds)) * self.column

    def steps_of(self, rounds: int) -> Steps:
        """Returns one step for each turn of a band."""
        return self.accounted.steps_of(self.turns(rounds))

    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""
        noise = f"correlated noise {self.noise_multiplier:.2f} × clip {self.clip:g}"
        return f"{noise}, at the server"

    def remarks(self) -> tuple[str, ...]:
        """Returns that bands take turns, and that cohorts are secret."""
        cap = self.sampling.cap
        return (f"{self.bands} bands take turns, secret cohorts of {cap} at most",)

    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens its ledger; a charge is one round."""
        column = json.dumps(self.coefficients)
        public: dict[str, float | str] = {"bands": self.bands, "coefficients": column}
        return self.opening(noise=noise, sampling=self.sampling, public=public)

    @classmethod
    def read(cls, terms: Terms) -> BandedGaussian:
        """Returns the mechanism that the terms of a ledger describe."""
        return cls(
            sampling=sampling_of(terms),
            bands=whole(terms, "bands"),
            coefficients=coefficients_of(terms),
            noise_multiplier=terms.noise_multiplier,
            clip=terms.clip,
            delta=terms.delta,
        )

    def band(self, number: int, *, devices: int) -> NDArray[np.int64]:
        """Returns the devices of round ``number``'s band, ascending.

        Args:
            number: The number of the round, from 0 upwards.
            devices: Devices of the population.
        """
        return np.arange(number % self.bands, devices, self.bands, dtype=np.int64)


class BandedRelease:
    """Poisson cohorts within bands that take turns, correlated noise."""

    repeatable: ClassVar[bool] = False

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

    def state(self) -> State:
        """Returns whose turn it is, and the noise so far, which is secret."""
        return {ROUNDS: np.array(self._rounds), **noise_state(self._noise)}

    def restore(self, state: State) -> None:
        """Goes on with that turn and that noise."""
        check_names(state, (ROUNDS, *NOISE))
        restore_noise(self._noise, state)
        self._rounds = int(state[ROUNDS])

    def cohort(self, source: Source) -> Numbers:
        """Draws by secret coins within the band whose turn it is."""
        band = self._mechanism.band(self._rounds, devices=self._devices)
        self._rounds += 1
        drawn = self._mechanism.sampling.draw(stream=source.stream("cohort"))
        return band[drawn[drawn < len(band)]]

    def mean(self, deltas: Iterable[Update], *, source: Source) -> Mean:
        """Returns ``correlated_mean``."""
        return correlated_mean(
            deltas,
            self._noise,
            clip=self._mechanism.clip,
            deviation=self._mechanism.noise_multiplier * self._mechanism.clip,
            expected=self._mechanism.sampling.expected,
            source=source,
            layers=self._layers,
        )
