"""No protection of a unit, for comparison."""

import math
from dataclasses import dataclass
from typing import Literal

from privacy.mechanisms.base.unit_settings import (
    DeviceSettings,
    ExampleSettings,
    Federation,
    LocalSteps,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoExample(ExampleSettings):
    """Moments are neither clipped nor hidden."""

    protects = False
    mechanism: Literal["none"] = "none"

    def protected(self, visit: LocalSteps) -> None:
        """Returns None: nothing protects a moment."""

    def longest_sum(self, library: float, *, noise: float, spread: float) -> float:
        """Returns infinity: nothing is clipped."""
        return math.inf


@dataclass(frozen=True, kw_only=True, slots=True)
class NoDevice(DeviceSettings):
    """Whether a device took part is not hidden."""

    protects = False
    at_server = False
    mechanism: Literal["none"] = "none"

    def protected(self, run: Federation) -> None:
        """Returns None: nothing protects a library."""

    @property
    def own_clip(self) -> float:
        """Infinite: nothing is clipped."""
        return math.inf

    def longest_mean(
        self, longest: float, *, rounds: int, cohort: float, noise: float, spread: float
    ) -> float:
        """Returns the longest update."""
        return longest
