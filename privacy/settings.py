"""What is protected and how strongly."""

from dataclasses import dataclass
from typing import Annotated, Literal

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Privacy:
    """The run's protection.

    Attributes:
        noise: ``secure`` draws noise and sampling from ChaCha20 keyed by the operating system;
            ``insecure_seeded`` derives them from the seed, and the run's ε is then no claim.
        example: Protection of one moment on its device.
    """

    noise: Literal["secure", "insecure_seeded"]
    example: Example
