"""A larger federation for which ε is meant, while this run is one of few devices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Gt, Interval

from privacy.mechanisms.base.central_settings import CentralSettings
from privacy.mechanisms.base.unit_settings import Extrapolated, Federation
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.sampling.capped import CappedPoissonSampling


@dataclass(frozen=True, kw_only=True, slots=True)
class LargerFederation(CentralSettings):
    """Settings of a federation whose noise on the mean update this run has.

    Its own noise, in clips, is larger as its cohort is.

    Attributes:
        noise_cohort: A larger cohort for which ``epsilon`` is meant: the noise of this run is
            smaller by their ratio, and both ε are reported; null for this run's own.
        noise_population: Devices of that population.
    """

    noise_cohort: Annotated[float, Gt(0)] | None
    noise_population: Annotated[int, Interval(ge=1, le=10_000_000_000)] | None

    def meant(self, own: CohortGaussian, run: Federation) -> tuple[CohortGaussian, float]:
        """Returns for which mechanism ``epsilon`` is meant, and this run's noise over its own.

        Args:
            own: This run's; its noise does not matter.
            run: Public facts of this run.
        """
        larger = self._sampling()
        if larger is None:
            return own, 1.0
        delta = _delta_of(larger, own.delta)
        return replace(own, sampling=larger, delta=delta), run.cohort / larger.expected

    def extrapolated(self, own: CohortGaussian) -> Extrapolated | None:
        """Returns the larger federation with this run's noise on its mean; None for none."""
        larger = self._sampling()
        if larger is None:
            return None
        scale = larger.expected / own.sampling.expected
        mechanism = CohortGaussian(
            sampling=larger,
            noise_multiplier=own.noise_multiplier * scale,
            clip=own.clip,
            delta=_delta_of(larger, own.delta),
        )
        return Extrapolated(mechanism=mechanism, cohort=larger.expected, devices=larger.devices)

    def larger_contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses half of a federation, or a smaller one."""
        if (self.noise_cohort is None) != (self.noise_population is None):
            return (
                "privacy.device.noise_cohort and privacy.device.noise_population describe one "
                "larger federation: give both, or set both to null."
            )
        if self.noise_cohort is None or self.noise_population is None:
            return None
        if not cohort <= self.noise_cohort <= self.noise_population:
            return (
                f"privacy.device.noise_cohort={self.noise_cohort:g} must lie between "
                f"server.cohort={cohort:g} and "
                f"privacy.device.noise_population={self.noise_population}."
            )
        return None

    def _sampling(self) -> CappedPoissonSampling | None:
        cohort, population = self.noise_cohort, self.noise_population
        if cohort is None or population is None:
            return None
        return CappedPoissonSampling.expecting(cohort, devices=population, cap=None)


def _delta_of(larger: CappedPoissonSampling, delta: float) -> float:
    """A δ that publishes a tenth of a device at most."""
    return min(delta, 1 / (10 * larger.devices))
