"""What all protections of whole devices at the server have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from privacy.mechanisms.base.mechanism import Mechanism
from privacy.mechanisms.base.release import Release
from privacy.mechanisms.base.unit_settings import (
    TAIL,
    Budget,
    DeviceSettings,
    Extrapolated,
    Federation,
    Protected,
)
from privacy.sampling.capped import CappedPoissonSampling


@dataclass(frozen=True, kw_only=True, slots=True)
class CentralSettings(Budget, DeviceSettings):
    """Updates are clipped and noise is added to their sum, at the server.

    Attributes:
        delta: The δ of the guarantee, below one over the number of devices.
        clipping: ``whole`` clips an update as one vector, ``layers`` each of its layers.
        largest_cohort: Devices of a round at most; null for nine standard deviations above
            what is expected.
    """

    at = "privacy.device"
    at_server = True
    delta: Annotated[float, Interval(ge=1e-12, lt=1)]
    clipping: Literal["whole", "layers"]
    largest_cohort: Annotated[int, Interval(ge=1, le=10_000_000)] | None

    def cap(self, run: Federation) -> int | None:
        """Returns the hard cap of a cohort; None where none is given.

        Raises:
            ValueError: It is below the expected cohort.
        """
        cap = self.largest_cohort
        if cap is not None and cap < run.cohort:
            raise ValueError(
                f"privacy.device.largest_cohort={cap} is below server.cohort={run.cohort:g}; "
                "raise it, or lower server.cohort."
            )
        return cap

    def sampling(self, run: Federation) -> CappedPoissonSampling:
        """Returns who takes part in a round."""
        return CappedPoissonSampling.expecting(
            run.cohort, devices=run.devices, cap=self.cap(run)
        )

    def protecting(
        self,
        mechanism: Mechanism,
        run: Federation,
        *,
        release: Callable[[Sequence[int]], Release],
        extrapolated: Extrapolated | None = None,
    ) -> Protected:
        """Returns what protects a library, for as many rounds as the budget affords.

        Args:
            mechanism: What was derived.
            run: Public facts of the run.
            release: Returns what releases the rounds, from the lengths of an update's layers.
            extrapolated: A larger federation with this run's noise on its mean, if any.
        """
        rounds = self.affordable(mechanism, most=run.rounds)
        stops = f"stops there: one more of the {run.rounds} rounds would pass the budget"
        return Protected(
            mechanism=mechanism,
            times=rounds,
            remarks=() if rounds == run.rounds else (stops,),
            extrapolated=extrapolated,
            release=release,
        )

    def clipped_alone(self, layers: Sequence[int]) -> tuple[int, ...]:
        """Returns the lengths of the layers that are clipped alone; none for whole updates."""
        return tuple(layers) if self.clipping == "layers" else ()

    def contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses neither noise nor ε, or ε without noise."""
        return self.budget_contradiction()

    @property
    def own_clip(self) -> float:
        """Largest norm of what a device sends; layers are clipped by the server alone."""
        return math.inf if self.clipping == "layers" else self.clip

    def growth(self, rounds: int) -> float:
        """Returns how far the clip can rise in so many rounds."""
        return 1.0

    def longest_mean(
        self, longest: float, *, rounds: int, cohort: float, noise: float, spread: float
    ) -> float:
        """Returns the largest norm of a round's mean update.

        It is that of the largest cohort, with each update at its clip, and of the noise.
        """
        clip = self.clip * self.growth(rounds)
        largest = self.largest_cohort or cohort + TAIL * math.sqrt(cohort) + TAIL
        added = self._most_noise(rounds) * clip * spread / cohort
        return largest / cohort * min(longest, clip) + added

    def _most_noise(self, rounds: int) -> float:
        """No noise multiplier is larger: what ε needs without any amplification.

        For ρ-zCDP with ρ = rounds / 2σ², ε = ρ + 2√(ρ ln 1/δ) (Bun and Steinke 2016).
        """
        if self.noise_multiplier is not None:
            return self.noise_multiplier
        log = math.log(1 / self.delta)
        root = math.sqrt(log + self.target) - math.sqrt(log)
        return math.sqrt(rounds / 2) / root
