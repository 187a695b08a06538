"""The settings of DP-SGD on a device, in real numbers or in integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Interval

from privacy.mechanisms.base.limits import MOST_INTEGER_NOISE
from privacy.mechanisms.base.unit_settings import Budget, ExampleSettings, LocalSteps, Protected
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.moments.integer_dpsgd import IntegerDpSgd
from privacy.sampling.poisson import PoissonSampling
from protocol.settings import Times

KINDS: Mapping[str, type[DpSgd] | type[IntegerDpSgd]] = {
    "float64": DpSgd,
    "integers": IntegerDpSgd,
}
"""What protects one moment, by ``privacy.example.numbers``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DpSgdSettings(Budget, ExampleSettings):
    """Each moment's gradient is clipped, then noise is added on the device.

    Attributes:
        delta: The δ of the guarantee.
        numbers: ``float64``, whose promise holds up to floating point, or ``integers``, whose
            promise is proven of what runs.
        max_participations: Visits after which a device declines.
    """

    at = "privacy.example"
    makes = (DpSgd, IntegerDpSgd)
    mechanism: Literal["dpsgd"] = "dpsgd"
    delta: Annotated[float, Interval(ge=1e-12, le=1e-5)]
    numbers: Literal["float64", "integers"]
    max_participations: Times

    def derive(self, visit: LocalSteps) -> DpSgd | IntegerDpSgd:
        """Returns the mechanism: with the noise that is given, or that ``epsilon`` needs."""
        without = KINDS[self.numbers](
            sampling=PoissonSampling(rate=visit.rate),
            noise_multiplier=0.0,
            clip=self.clip,
            steps=visit.steps,
            delta=self.delta,
        )
        if self.noise_multiplier is not None:
            return replace(without, noise_multiplier=self.noise_multiplier)
        noise = without.noise_for(self.target, self.max_participations)
        return replace(without, noise_multiplier=noise)

    def protected(self, visit: LocalSteps) -> Protected:
        """Returns what protects a moment."""
        chosen = self.derive(visit)
        visits = self.affordable(chosen, most=self.max_participations)
        return Protected(mechanism=chosen, times=visits)

    def contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses a budget, or noise that integers cannot have."""
        noise = self.noise_multiplier
        if self.numbers == "integers" and noise is not None and noise > MOST_INTEGER_NOISE:
            return (
                f"privacy.example.noise_multiplier={noise:g} is more than the "
                f"{MOST_INTEGER_NOISE} that privacy.example.numbers=integers can draw; lower "
                "it, or use float64."
            )
        return self.budget_contradiction()

    def longest_sum(self, library: float, *, noise: float, spread: float) -> float:
        """Returns the largest norm of a step's noisy sum: each moment at its clip."""
        return self.clip * (library + noise * spread)
