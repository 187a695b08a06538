"""What is protected and how strongly."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from annotated_types import Gt, Interval

LEAST_CLIP, MOST_CLIP = 1e-9, 1e6
"""L2 norms of a gradient or an update between which the mechanisms are tested. Far below, what
leaves would be lost in the last digits of float32 parameters."""

MOST_NOISE = 1e6
"""Largest noise in units of the clip: with it ε is 0 in every digit that is printed."""

MOST_INTEGER_NOISE = 256
"""The same in integers: 2^26 steps, beyond which the sampler's decisions leave 64 bits, over
the 2^18 steps of a clip. A run with more would end in its first step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """Protection of one moment on its device.

    Attributes:
        mechanism: ``dpsgd`` clips each moment's gradient and adds noise; ``none`` does neither.
        epsilon: Target for a device that takes part ``max_participations`` times; null where
            ``noise_multiplier`` alone is given. With both, the noise is as given and a device
            declines before more is spent.
        noise_multiplier: Standard deviation of the noise in units of ``clip``; null derives
            it from ``epsilon``.
        delta: The δ of the guarantee.
        clip: Largest L2 norm of one moment's gradient.
        numbers: ``float64``, whose promise holds up to floating point, or ``integers``, whose
            promise is proven of what runs; null without a mechanism.
        max_participations: Visits after which a device declines; null without a mechanism.
    """

    mechanism: Literal["none", "dpsgd"]
    epsilon: Annotated[float, Gt(0)] | None
    noise_multiplier: Annotated[float, Interval(ge=0, le=MOST_NOISE)] | None
    delta: Annotated[float, Interval(ge=1e-12, le=1e-5)] | None
    clip: Annotated[float, Interval(ge=LEAST_CLIP, le=MOST_CLIP)] | None
    numbers: Literal["float64", "integers"] | None
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
            numbers=None,
            max_participations=None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """Protection of a whole library: of whether a device took part at all.

    At the server, who is then trusted, ``gaussian`` clips each update and adds independent
    noise to their sum; ``adaptive`` does so with a clip that follows the updates; ``matrix``
    adds correlated noise; ``auto`` takes ``gaussian`` or ``matrix``, whichever leaves less.
    ``local`` adds noise to each update on its device, who trusts nobody. ``none`` does nothing.

    Attributes:
        mechanism: One of these.
        epsilon: Target after all rounds, or after ``max_participations`` visits (``local``);
            null where ``noise_multiplier`` alone is given. With both, the noise is as given and
            the run stops, or a device declines, before more is spent.
        noise_multiplier: Standard deviation of the noise in units of ``clip``; null derives it
            from ``epsilon``. Of ``matrix``, in units of the sensitivity of its strategy too.
        delta: The δ of the guarantee, below one over the number of devices.
        clip: Largest L2 norm of one update; of ``adaptive``, in the first round.
        clipping: ``whole`` clips an update as one vector, ``layers`` each of its layers.
        numbers: ``float64``, whose promise holds up to floating point, or ``integers``, whose
            promise is proven of what runs (``gaussian``).
        largest_cohort: Devices of a round at most (``gaussian``, ``adaptive``, and ``matrix``
            with ``bands``); null for nine standard deviations above what is expected.
        quantile: Share of updates that ``adaptive`` leaves as they are.
        clip_lr: How fast the logarithm of its clip follows.
        count_share: Share of its budget for the count that the clip follows.
        strategy: Correlation of the noise of ``matrix``: ``banded`` is the best, ``sqrt`` needs
            no search, ``buffered`` little memory, ``independent`` is none, for comparison.
        buffers: Vectors of memory of ``buffered``.
        participation: ``separated``: any cohort whose devices rest for ``separation`` rounds,
            without trust in its coins; ``bands``: secret coins within bands that take turns.
        separation: Rounds from one participation of a device to the next, at least, or bands;
            null for as many as the population allows.
        noise_cohort: A larger cohort, of a population of ``noise_population``, for which
            ``epsilon`` is meant: the noise of this run is smaller by their ratio, and both ε
            are told (``gaussian``, ``adaptive``).
        noise_population: Devices of that population.
        max_participations: Visits after which a device declines (``local``).
    """

    mechanism: Literal["none", "gaussian", "adaptive", "matrix", "local", "auto"]
    epsilon: Annotated[float, Gt(0)] | None
    noise_multiplier: Annotated[float, Interval(ge=0, le=MOST_NOISE)] | None
    delta: Annotated[float, Interval(ge=1e-12, lt=1)] | None
    clip: Annotated[float, Interval(ge=LEAST_CLIP, le=MOST_CLIP)] | None
    clipping: Literal["whole", "layers"] | None
    numbers: Literal["float64", "integers"] | None
    largest_cohort: Annotated[int, Interval(ge=1, le=10_000_000)] | None
    quantile: Annotated[float, Interval(gt=0, lt=1)] | None
    clip_lr: Annotated[float, Interval(gt=0, le=10)] | None
    count_share: Annotated[float, Interval(gt=0, lt=1)] | None
    strategy: Literal["banded", "sqrt", "buffered", "independent"] | None
    buffers: Annotated[int, Interval(ge=1, le=8)] | None
    participation: Literal["separated", "bands"] | None
    separation: Annotated[int, Interval(ge=1, le=1_000_000)] | None
    noise_cohort: Annotated[float, Gt(0)] | None
    noise_population: Annotated[int, Interval(ge=1, le=10_000_000_000)] | None
    max_participations: Annotated[int, Interval(ge=1, le=1_000_000)] | None

    def needed(self, name: str) -> float:
        """Returns a number that the mechanism needs.

        Raises:
            ValueError: It is null.
        """
        value: float | None = getattr(self, name)
        if value is None:
            raise ValueError(
                f"privacy.device.{name} is null but privacy/device={self.mechanism} needs it; "
                "set it."
            )
        return value

    @classmethod
    def none(cls) -> Self:
        """Returns the settings without protection."""
        return cls(
            mechanism="none",
            epsilon=None,
            noise_multiplier=None,
            delta=None,
            clip=None,
            clipping=None,
            numbers=None,
            largest_cohort=None,
            quantile=None,
            clip_lr=None,
            count_share=None,
            strategy=None,
            buffers=None,
            participation=None,
            separation=None,
            noise_cohort=None,
            noise_population=None,
            max_participations=None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Privacy:
    """The run's protection.

    Attributes:
        noise: ``secure`` draws noise and sampling from ChaCha20 keyed by the operating system;
            ``insecure_seeded`` derives them from the seed, and the run's ε is then no claim.
        claim: Whether a run must be refused whose ε would be no claim.
        example: Protection of one moment on its device.
        device: Protection of a device's whole library.
    """

    noise: Literal["secure", "insecure_seeded"]
    claim: bool
    example: Example
    device: Device

    @property
    def protects(self) -> bool:
        """Whether any unit is protected."""
        return any(unit.mechanism != "none" for unit in (self.example, self.device))
