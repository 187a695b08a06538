"""The settings of independent noise at the server, in real numbers or in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from privacy.mechanisms.base.limits import MOST_INTEGER_NOISE
from privacy.mechanisms.base.release import Release
from privacy.mechanisms.base.unit_settings import Federation, Protected, check_delta
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian, IndependentRelease
from privacy.mechanisms.independent.integer_gaussian import IntegerGaussian, IntegerRelease
from privacy.mechanisms.independent.larger_federation import LargerFederation


@dataclass(frozen=True, kw_only=True, slots=True)
class GaussianSettings(LargerFederation):
    """Updates are clipped and independent noise is added to their sum, at the server.

    Attributes:
        numbers: ``float64``, whose promise holds up to floating point, or ``integers``, whose
            promise is proven of what runs.
    """

    makes = (CohortGaussian, IntegerGaussian)
    mechanism: Literal["gaussian"] = "gaussian"
    numbers: Literal["float64", "integers"]

    def protected(self, run: Federation) -> Protected:
        """Returns what protects a library."""
        check_delta(self.delta, devices=run.devices)
        if self.numbers == "integers":
            return self._integers(run)
        chosen = self.independent(run)
        return self.protecting(
            chosen,
            run,
            release=partial(self._release, chosen),
            extrapolated=self.extrapolated(chosen),
        )

    def independent(self, run: Federation) -> CohortGaussian:
        """Returns the mechanism in real numbers."""
        own = CohortGaussian(
            sampling=self.sampling(run),
            noise_multiplier=self.noise_multiplier or 0.0,
            clip=self.clip,
            delta=self.delta,
        )
        if self.noise_multiplier is not None:
            return own
        meant, scale = self.meant(own, run)
        noise = scale * meant.noise_for(self.target, run.rounds)
        return replace(own, noise_multiplier=noise)

    def contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses a budget, a federation, or what integers lack."""
        others = {"clipping": self.clipping == "layers", "noise_cohort": self.noise_cohort}
        for name, given in others.items():
            if self.numbers == "integers" and given:
                value = getattr(self, name)
                shown = value if isinstance(value, str) else f"{value:g}"
                return (
                    f"privacy.device.{name}={shown} is not for "
                    "privacy.device.numbers=integers; use float64, or leave it as it was."
                )
        noise = self.noise_multiplier
        if self.numbers == "integers" and noise is not None and noise > MOST_INTEGER_NOISE:
            return (
                f"privacy.device.noise_multiplier={noise:g} is more than the "
                f"{MOST_INTEGER_NOISE} that privacy.device.numbers=integers can draw; lower "
                "it, or use float64."
            )
        budget = self.budget_contradiction()
        return budget or self.larger_contradiction(cohort=cohort)

    def _integers(self, run: Federation) -> Protected:
        chosen = IntegerGaussian(
            sampling=self.sampling(run),
            noise_multiplier=self.noise_multiplier or 0.0,
            clip=self.clip,
            delta=self.delta,
        )
        if self.noise_multiplier is None:
            noise = chosen.noise_for(self.target, run.rounds)
            chosen = replace(chosen, noise_multiplier=noise)
        return self.protecting(chosen, run, release=partial(_integer_release, chosen))

    def _release(self, chosen: CohortGaussian, layers: Sequence[int]) -> Release:
        alone = self.clipped_alone(layers)
        return IndependentRelease(chosen, size=sum(layers), layers=alone)


def _integer_release(chosen: IntegerGaussian, layers: Sequence[int]) -> Release:
    return IntegerRelease(chosen, size=sum(layers))
