"""What is protected and how strongly."""

from dataclasses import dataclass, replace
from typing import Literal, Self

from privacy.mechanisms.base.unprotected import NoDevice, NoExample
from privacy.mechanisms.registry import Device, Example


@dataclass(frozen=True, kw_only=True, slots=True)
class Privacy:
    """The run's protection.

    Attributes:
        noise: ``secure`` draws noise and sampling from ChaCha20 keyed by the operating system;
            ``insecure_seeded`` derives them from the seed, and the run's ε is then no claim.
        claim: Whether a run must be refused whose ε would be no claim.
        example: Protection of one moment on its device.
        device: Protection of a device's whole library: of whether it took part at all.
    """

    noise: Literal["secure", "insecure_seeded"]
    claim: bool
    example: Example
    device: Device

    @property
    def protects(self) -> bool:
        """Whether any unit is protected."""
        return self.example.protects or self.device.protects

    def without(self) -> Self:
        """Returns the same with neither clipping nor noise."""
        return replace(self, example=NoExample(), device=NoDevice())
