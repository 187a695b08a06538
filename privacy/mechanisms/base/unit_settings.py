"""What the configuration says of one unit's protection, and what follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from privacy.mechanisms.base.limits import Clip, Epsilon, Noise
from privacy.mechanisms.base.mechanism import Mechanism

if TYPE_CHECKING:
    from privacy.mechanisms.base.release import Release

TAIL = 9.0
"""Standard deviations by which a norm of noise, or a cohort, exceeds what is expected at most:
more has a probability of 10^-18."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Federation:
    """Public facts of a run on which the ε of a whole device depends.

    Attributes:
        devices: Devices in the population.
        rounds: Rounds of the run.
        cohort: Devices expected in a round.
    """

    devices: int
    rounds: int
    cohort: float


class LocalSteps(Protocol):
    """Public facts of a visit on which the ε of a moment depends."""

    @property
    def rate(self) -> float:
        """Probability of a moment in a step."""
        ...

    @property
    def steps(self) -> int:
        """Steps of one visit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Extrapolated:
    """A larger federation for which ε is meant, while this run is one of few devices.

    Attributes:
        mechanism: Its mechanism, with this run's noise on its mean.
        cohort: Devices expected in its rounds.
        devices: Devices of its population.
    """

    mechanism: Mechanism
    cohort: float
    devices: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Protected:
    """What protects one unit in a run: derived once from the settings, then passed.

    Attributes:
        mechanism: What runs and is accounted.
        times: Rounds, or visits of a device, after which it stops; 0 where the first passes
            the budget.
        remarks: What the card must say of the settings.
        extrapolated: A larger federation with this run's noise on its mean; None where none
            is assumed.
        release: Returns what releases the rounds, from the lengths of an update's layers; None
            where devices do all themselves.
    """

    mechanism: Mechanism
    times: int
    remarks: tuple[str, ...] = ()
    extrapolated: Extrapolated | None = None
    release: Callable[[Sequence[int]], Release] | None = None


class UnitSettings(ABC):
    """One kind of settings of a unit; each kind is a frozen dataclass.

    Attributes:
        mechanism: The name of the kind.
        makes: The mechanisms that read a ledger of it.
        protects: Whether it protects anything.
    """

    mechanism: str
    makes: ClassVar[tuple[type[Mechanism], ...]] = ()
    protects: ClassVar[bool] = True

    @property
    def derives_noise(self) -> bool:
        """Whether the noise follows from a promise and is not given."""
        return False

    def contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses settings of which one forbids another.

        Args:
            cohort: Devices expected in a round.
        """
        return None


class ExampleSettings(UnitSettings):
    """What protects one moment on its device."""

    @abstractmethod
    def protected(self, visit: LocalSteps) -> Protected | None:
        """Returns what protects a moment; None where nothing does.

        Raises:
            ValueError: A promise cannot be met.
        """

    @abstractmethod
    def longest_sum(self, library: float, *, noise: float, spread: float) -> float:
        """Returns the largest norm of a step's noisy sum; infinity where nothing is clipped.

        Args:
            library: Moments of a library at most.
            noise: Standard deviation of the noise, in clips.
            spread: Largest norm of a standard normal vector of an update's length.
        """


class DeviceSettings(UnitSettings):
    """What protects a whole library: whether a device took part at all.

    Attributes:
        at_server: Whether the server adds the noise, and is trusted.
    """

    at_server: ClassVar[bool]

    @abstractmethod
    def protected(self, run: Federation) -> Protected | None:
        """Returns what protects a library; None where nothing does.

        Raises:
            ValueError: A promise cannot be met, δ is too large for the population, or the
                population cannot rest as the settings ask.
        """

    @property
    @abstractmethod
    def own_clip(self) -> float:
        """Largest norm of what a device sends; infinite where it need not clip."""

    @abstractmethod
    def longest_mean(
        self, longest: float, *, rounds: int, cohort: float, noise: float, spread: float
    ) -> float:
        """Returns the largest norm of a round's mean update.

        Args:
            longest: Largest norm of an update before it is clipped.
            rounds: Rounds of the run.
            cohort: Devices expected in a round.
            noise: Noise that a device adds to its update, in clips.
            spread: Largest norm of a standard normal vector of an update's length.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Noise, ε, or both.

    Attributes:
        epsilon: Target after all rounds or visits, from which the noise follows; null where
            ``noise_multiplier`` alone is given. With both, the noise is as given and the run
            stops, or a device declines, before more is spent.
        noise_multiplier: Standard deviation of the noise in units of ``clip``; null derives it
            from ``epsilon``.
        clip: Largest L2 norm of what is hidden.
        at: The section of the settings, for sentences.
    """

    at: ClassVar[str]
    epsilon: Epsilon | None
    noise_multiplier: Noise | None
    clip: Clip

    @property
    def derives_noise(self) -> bool:
        """Whether the noise follows from ``epsilon``."""
        return self.noise_multiplier is None

    @property
    def target(self) -> float:
        """The ε from which noise follows.

        Raises:
            ValueError: It is null.
        """
        if self.epsilon is None:
            raise ValueError(
                f"{self.at}.epsilon and {self.at}.noise_multiplier are both null; give one of "
                "them."
            )
        return self.epsilon

    def affordable(self, mechanism: Mechanism, *, most: int) -> int:
        """Returns how often the mechanism is applied before more than ``epsilon`` is spent.

        Args:
            mechanism: What runs.
            most: Rounds or visits that are asked for.
        """
        if self.epsilon is None or self.noise_multiplier is None:
            return most
        return within(mechanism.epsilon, self.epsilon, most=most)

    def budget_contradiction(self) -> str | None:
        """Returns the sentence that refuses neither of both, or ε without noise."""
        at = self.at
        if self.epsilon is None and self.noise_multiplier is None:
            return f"{at}.epsilon and {at}.noise_multiplier are both null; give one of them."
        if self.epsilon is not None and self.noise_multiplier == 0:
            return (
                f"{at}.noise_multiplier=0 keeps no {at}.epsilon={self.epsilon:g}; set one of "
                "them to null."
            )
        return None


def check_delta(delta: float, *, devices: int) -> None:
    """Refuses a δ that would let one device in all be published whole.

    Raises:
        ValueError: It is not below one over the number of devices.
    """
    if delta >= 1 / devices:
        raise ValueError(
            f"privacy.device.delta={delta:g} would allow one of the {devices} devices to be "
            f"published whole; use one below {1 / devices:.2g}."
        )


def within(epsilon: Callable[[int], float], budget: float, *, most: int) -> int:
    """Returns the largest count from 0 to ``most`` whose ε is at most ``budget``.

    Args:
        epsilon: The ε of so many rounds or visits, which never falls.
        budget: The ε to keep within.
        most: The largest count that is looked at.
    """
    if epsilon(most) <= budget:
        return most
    # "not within" and not "above": a NaN is within nothing
    return bisect_left(range(1, most + 1), True, key=lambda n: not epsilon(n) <= budget)
