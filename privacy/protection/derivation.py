"""What protects a run: derived once from its settings and public facts, then passed."""

from dataclasses import dataclass
from typing import Self

from privacy.mechanisms.base.mechanism import Mechanism
from privacy.mechanisms.base.unit_settings import (
    Federation,
    LocalSteps,
    Protected,
    UnitSettings,
)
from privacy.protection.settings import Privacy


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """What protects each unit of a run.

    Attributes:
        example: What protects one moment; None where nothing does.
        device: What protects a whole library; None where nothing does.
        rounds: Rounds before the budget for the unit *device* is spent.
        claim: Whether the draws are secret: without that no ε is a promise.
    """

    example: Protected | None
    device: Protected | None
    rounds: int
    claim: bool

    @classmethod
    def of(cls, privacy: Privacy, *, visit: LocalSteps, run: Federation) -> Self:
        """Returns what the settings ask for.

        Args:
            privacy: The settings.
            visit: Public facts of a visit.
            run: Public facts of the run.

        Raises:
            ValueError: A promise cannot be met; one sentence with the way out.
        """
        example, device = privacy.example.protected(visit), privacy.device.protected(run)
        for settings, found in ((privacy.example, example), (privacy.device, device)):
            if found is not None and not found.times:
                raise ValueError(_passed(settings, found.mechanism))
        return cls(
            example=example,
            device=device,
            rounds=device.times if device and device.release else run.rounds,
            claim=privacy.noise == "secure",
        )

    @property
    def units(self) -> dict[str, Protected]:
        """What protects each unit that is protected, by its name."""
        both = {"example": self.example, "device": self.device}
        return {unit: one for unit, one in both.items() if one is not None}


def _passed(settings: UnitSettings, mechanism: Mechanism) -> str:
    at, epsilon = f"privacy.{mechanism.unit}", getattr(settings, "epsilon", 0.0)
    return (
        f"{at}.epsilon={epsilon:g} is passed by the first {mechanism.once}, whose ε is "
        f"{mechanism.epsilon(1):.3g}: raise it or {at}.noise_multiplier."
    )
