"""The settings of correlated noise: the strategy, and who may take part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from privacy.correlation import toeplitz
from privacy.correlation.noise import CorrelatedNoise
from privacy.correlation.separation import largest_participations
from privacy.correlation.strategy import MatrixStrategy, Name, matrix_strategy
from privacy.mechanisms.base.central_settings import CentralSettings
from privacy.mechanisms.base.release import Release
from privacy.mechanisms.base.unit_settings import Federation, Protected, check_delta
from privacy.mechanisms.correlated.banded_gaussian import BandedGaussian, BandedRelease
from privacy.mechanisms.correlated.separated_gaussian import SeparatedGaussian, SeparatedRelease
from privacy.sampling.capped import CappedPoissonSampling


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrelationSettings(CentralSettings):
    """How noise is correlated.

    Attributes:
        strategy: ``banded`` is the best, ``sqrt`` needs no search, ``buffered`` little memory,
            ``independent`` is none, for comparison.
        buffers: Vectors of memory of ``buffered``.
        participation: ``separated``: any cohort whose devices rest for ``separation`` rounds,
            without trust in its coins; ``bands``: secret coins within bands that take turns.
        separation: Rounds from one participation of a device to the next, at least, or bands;
            null for as many as the population allows.
    """

    strategy: Name
    buffers: Annotated[int, Interval(ge=1, le=8)]
    participation: Literal["separated", "bands"]
    separation: Annotated[int, Interval(ge=1, le=1_000_000)] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixSettings(CorrelationSettings):
    """Noise that later rounds take back in part: less of it adds up. At the server."""

    makes = (SeparatedGaussian, BandedGaussian)
    mechanism: Literal["matrix"] = "matrix"

    def contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses a budget, or a cap where cohorts have one size."""
        if self.participation == "separated" and self.largest_cohort is not None:
            return (
                f"privacy.device.largest_cohort={self.largest_cohort} has no effect with "
                "privacy.device.participation=separated, whose cohorts have one size; set it "
                "to null."
            )
        return self.budget_contradiction()

    def protected(self, run: Federation) -> Protected:
        """Returns what protects a library."""
        check_delta(self.delta, devices=run.devices)
        return self.of_derived(self.derive(run), run)

    def of_derived(
        self, chosen: SeparatedGaussian | BandedGaussian, run: Federation
    ) -> Protected:
        """Returns what protects a library where ``derive`` chose this mechanism."""
        return self.protecting(chosen, run, release=partial(self._release, chosen, run))

    def derive(self, run: Federation) -> SeparatedGaussian | BandedGaussian:
        """Returns the mechanism.

        Raises:
            ValueError: The population cannot rest as it is asked.
        """
        most = self._most_apart(run)
        if self.participation == "bands":
            return self._least_banded(run, most=most)
        return self._separated(run, separation=self.separation or most)

    def _most_apart(self, run: Federation) -> int:
        """The longest rest that leaves a whole cohort rested, and checks the one asked for."""
        cohort = math.floor(run.cohort)
        if cohort < 1:
            raise ValueError(
                f"server.cohort={run.cohort:g} is no device in a round; raise it to 1 or more."
            )
        most = min(run.devices // cohort, run.rounds)
        if self.separation is not None and self.separation > most:
            raise ValueError(
                f"privacy.device.separation={self.separation} needs that many rounds, and that "
                f"many cohorts of {cohort} that take turns; {run.rounds} rounds of "
                f"{run.devices} devices give {most}: use at most that, or lower server.cohort."
            )
        return most

    def _strategy(self, run: Federation, *, separation: int) -> MatrixStrategy:
        return matrix_strategy(
            self.strategy,
            run.rounds,
            separation=separation,
            participations=largest_participations(run.rounds, separation),
            buffers=self.buffers,
        )

    def _separated(self, run: Federation, *, separation: int) -> SeparatedGaussian:
        without = SeparatedGaussian(
            noise_multiplier=0.0,
            coefficients=self._strategy(run, separation=separation).coefficients,
            rounds=run.rounds,
            separation=separation,
            participations=largest_participations(run.rounds, separation),
            clip=self.clip,
            delta=self.delta,
        )
        if self.noise_multiplier is None:
            noise = without.noise_for(self.target, run.rounds)
        else:
            noise = self.noise_multiplier * without.sensitivity
        return replace(without, noise_multiplier=noise)

    def _least_banded(self, run: Federation, *, most: int) -> BandedGaussian:
        """Of 1, 2, 4, … bands, or those that are asked for, what leaves least noise."""
        if self.strategy == "buffered":
            raise ValueError(
                "privacy.device.strategy=buffered has no end to its columns, which "
                "privacy.device.participation=bands needs; use banded, sqrt or separated."
            )
        numbers = [2**power for power in range(most.bit_length())]
        tried = [
            self._banded(run, bands=bands)
            for bands in ([self.separation] if self.separation else numbers)
        ]
        return min(tried, key=lambda one: left(one, rounds=run.rounds))

    def _banded(self, run: Federation, *, bands: int) -> BandedGaussian:
        in_band = -(-run.devices // bands)
        without = BandedGaussian(
            sampling=CappedPoissonSampling.expecting(
                min(run.cohort, in_band), devices=in_band, cap=self.cap(run)
            ),
            bands=bands,
            coefficients=self._strategy(run, separation=bands).coefficients,
            noise_multiplier=0.0,
            clip=self.clip,
            delta=self.delta,
        )
        if self.noise_multiplier is None:
            noise = without.noise_for(self.target, run.rounds)
        else:
            noise = self.noise_multiplier * without.column
        return replace(without, noise_multiplier=noise)

    def _release(
        self,
        chosen: SeparatedGaussian | BandedGaussian,
        run: Federation,
        layers: Sequence[int],
    ) -> Release:
        alone = self.clipped_alone(layers)
        if isinstance(chosen, BandedGaussian):
            noise = self._noise(run, separation=chosen.bands, size=sum(layers))
            return BandedRelease(chosen, noise, devices=run.devices, layers=alone)
        noise = self._noise(run, separation=chosen.separation, size=sum(layers))
        cohort = int(run.cohort)
        return SeparatedRelease(chosen, noise, cohort=cohort, devices=run.devices, layers=alone)

    def _noise(self, run: Federation, *, separation: int, size: int) -> CorrelatedNoise:
        recurrence = self._strategy(run, separation=separation).recurrence
        return CorrelatedNoise(recurrence, size=size)


def left(chosen: SeparatedGaussian | BandedGaussian, *, rounds: int) -> float:
    """Returns the noise that correlation leaves on the prefix sums, in clips.

    Root mean squared over the rounds, on every coordinate.
    """
    column = np.array(chosen.coefficients)
    return chosen.noise_multiplier * toeplitz.root_error(column, rounds)
