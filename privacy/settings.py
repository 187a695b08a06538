"""What is protected and how strongly."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from annotated_types import Gt, Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """Protection of one moment on its device.

    Attributes:
        mechanism: ``dpsgd`` clips each moment's gradient and adds noise; ``none`` does neither.
        epsilon: Target for a device that takes part ``max_participations`` times; null where
            ``noise_multiplier`` is given instead.
        noise_multiplier: Standard deviation of the noise in units of ``clip``; null derives
            it from ``epsilon``.
        delta: The δ of the guarantee.
        clip: Largest L2 norm of one moment's gradient.
        max_participations: Visits after which a device declines; null without a mechanism.
    """

    mechanism: Literal["none", "dpsgd"]
    epsilon: Annotated[float, Gt(0)] | None
    noise_multiplier: Annotated[float, Interval(ge=0, le=1e6)] | None
    delta: Annotated[float, Interval(ge=1e-12, le=1e-5)] | None
    clip: Annotated[float, Interval(gt=0, le=1e6)] | None
    max_participations: Annotated[int, Interval(ge=1, le=1_000_000)] | None

    @classmethod
    def none(cls) -> Self:
        """Returns the settings without protection."""
        return cls(
            mechanism="none",
            epsilon=None,
            noise_multiplier=None,
            delta=None,
            clip=None,
            max_participations=None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """Protection of a whole library: of whether a device took part at all.

    Attributes:
        mechanism: ``gaussian`` clips each update and adds noise to their sum at the server, who
            is trusted; ``local`` adds it to each update on its device, who trusts nobody;
            ``none`` does neither.
        epsilon: Target after all rounds (``gaussian``) or after ``max_participations`` visits
            (``local``); null where ``noise_multiplier`` is given instead.
        noise_multiplier: Standard deviation of the noise in units of ``clip``; null derives it
            from ``epsilon``.
        delta: The δ of the guarantee, below one over the number of devices.
        clip: Largest L2 norm of one update.
        largest_cohort: Devices of a round at most (``gaussian``); null for six standard
            deviations above ``server.cohort``.
        max_participations: Visits after which a device declines (``local``).
    """

    mechanism: Literal["none", "gaussian", "local"]
    epsilon: Annotated[float, Gt(0)] | None
    noise_multiplier: Annotated[float, Interval(ge=0, le=1e6)] | None
    delta: Annotated[float, Interval(ge=1e-12, lt=1)] | None
    clip: Annotated[float, Interval(gt=0, le=1e6)] | None
    largest_cohort: Annotated[int, Interval(ge=1, le=10_000_000)] | None
    max_participations: Annotated[int, Interval(ge=1, le=1_000_000)] | None

    @classmethod
    def none(cls) -> Self:
        """Returns the settings without protection."""
        return cls(
            mechanism="none",
            epsilon=None,
            noise_multiplier=None,
            delta=None,
            clip=None,
            largest_cohort=None,
            max_participations=None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Privacy:
    """The run's protection.

    Attributes:
        noise: ``secure`` draws noise and sampling from ChaCha20 keyed by the operating system;
            ``insecure_seeded`` derives them from the seed, and the run's ε is then no claim.
        example: Protection of one moment on its device.
        device: Protection of a device's whole library.
    """

    noise: Literal["secure", "insecure_seeded"]
    example: Example
    device: Device

    @property
    def protects(self) -> bool:
        """Whether any unit is protected."""
        return any(unit.mechanism != "none" for unit in (self.example, self.device))
