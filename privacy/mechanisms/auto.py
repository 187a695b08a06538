"""Independent or correlated noise at the server, whichever leaves less at equal ε."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from privacy.mechanisms.base.unit_settings import Federation, Protected
from privacy.mechanisms.correlated.banded_gaussian import BandedGaussian
from privacy.mechanisms.correlated.separated_gaussian import SeparatedGaussian
from privacy.mechanisms.correlated.settings import (
    CorrelationSettings,
    MatrixSettings,
    left,
)
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.independent.settings import GaussianSettings

WORTHWHILE = 0.999
"""Correlated noise is taken where it leaves less than this share: a tie goes to the simpler
mechanism, and both noises are found within 0.5% only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoSettings(CorrelationSettings):
    """``gaussian`` or ``matrix``, whichever leaves less noise on the sum of mean updates."""

    makes = (CohortGaussian, SeparatedGaussian, BandedGaussian)
    mechanism: Literal["auto"] = "auto"

    def contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses noise that is given: no two are at equal ε then."""
        if self.epsilon is not None and self.noise_multiplier is None:
            return None
        return (
            "privacy/device=auto compares mechanisms at equal ε: give privacy.device.epsilon "
            "alone, with privacy.device.noise_multiplier=null."
        )

    def protected(self, run: Federation) -> Protected:
        """Returns what protects a library.

        Raises:
            ValueError: ``epsilon`` is null, or noise is given: no two are then at equal ε.
        """
        if found := self.contradiction(cohort=run.cohort):
            raise ValueError(found)
        plain = self._gaussian().protected(run)
        settings = self._matrix()
        chosen = settings.derive(run)
        correlated = settings.of_derived(chosen, run)
        both = {"gaussian": plain, "matrix": correlated}
        noise = {
            "gaussian": plain.mechanism.noise_multiplier
            * math.sqrt((run.rounds + 1) / 2)
            / run.cohort,
            "matrix": left(chosen, rounds=run.rounds) / self._cohort(run),
        }
        worthwhile = noise["matrix"] < WORTHWHILE * noise["gaussian"]
        taken, other = ("matrix", "gaussian") if worthwhile else ("gaussian", "matrix")
        why = (
            f"auto took {taken}: {noise[taken]:.3g} clips of noise add up, with {other} "
            f"{noise[other]:.3g}"
        )
        return replace(both[taken], remarks=(why, *both[taken].remarks))

    def _cohort(self, run: Federation) -> float:
        """The divisor under correlated noise: cohorts that rest are of whole devices."""
        return math.floor(run.cohort) if self.participation == "separated" else run.cohort

    def _gaussian(self) -> GaussianSettings:
        return GaussianSettings(
            epsilon=self.epsilon,
            noise_multiplier=None,
            delta=self.delta,
            clip=self.clip,
            clipping=self.clipping,
            largest_cohort=self.largest_cohort,
            numbers="float64",
            noise_cohort=None,
            noise_population=None,
        )

    def _matrix(self) -> MatrixSettings:
        return MatrixSettings(
            epsilon=self.epsilon,
            noise_multiplier=None,
            delta=self.delta,
            clip=self.clip,
            clipping=self.clipping,
            largest_cohort=self.largest_cohort,
            strategy=self.strategy,
            buffers=self.buffers,
            participation=self.participation,
            separation=self.separation,
        )
