"""Noise on a device's own update: what protects a whole device from the server too."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Interval

from privacy.accounting import analytic_gaussian, rdp
from privacy.accounting.steps import Steps
from privacy.mechanisms.base.mechanism import LocalMechanism
from privacy.mechanisms.base.unit_settings import (
    Budget,
    DeviceSettings,
    Federation,
    Protected,
    check_delta,
)
from privacy.sampling.crowds import alone
from protocol.settings import Times

if TYPE_CHECKING:
    from privacy.ledger.records import Noise, Terms

DIAMETER = 2.0
"""Clips between two updates at most, each one clip long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalGaussian(LocalMechanism):
    """Each device releases its clipped update with noise of its own, unit *device*.

    Formal guarantee: let a device's library be replaced by any other. What a device that took
    part ``participations`` times has sent is (``epsilon(participations)``,
    ``delta``)-differentially private for whoever sees all of it, the server included. Two
    updates of norm at most C differ by at most 2C, so k of them by at most 2C√k; the noise is
    Gaussian (Balle and Wang 2018). Whether the device was asked is no secret. "Up to floating
    point": the noise is float64.

    Attributes:
        noise_multiplier: Standard deviation of the noise over ``clip``.
        clip: Largest L2 norm of one update.
        delta: The δ of the guarantee.
    """

    sampler = "everyone asked"
    by = "closed form"
    noise_multiplier: float
    clip: float
    delta: float

    def epsilon(self, participations: int) -> float:
        """Returns the ε of a device after so many visits."""
        if participations == 0:
            return 0.0
        noise = self.noise_multiplier / self.reach(participations)
        return analytic_gaussian.epsilon(noise, delta=self.delta)

    def epsilon_rdp(self, participations: int) -> float:
        """Returns a looser bound on the same ε, by our own Rényi accounting."""
        if participations == 0:
            return 0.0
        noise = self.noise_multiplier / self.reach(participations)
        return rdp.epsilon(rate=1.0, noise_multiplier=noise, steps=1, delta=self.delta)

    def second_opinion(self, participations: int) -> float | None:
        """Returns None: the ε has a closed form."""
        return None

    def noise_for(self, target: float, participations: int) -> float:
        """Returns the least noise multiplier whose ε is at most ``target``."""
        return least_noise(target, participations=participations, delta=self.delta)

    def steps_of(self, participations: int) -> Steps:
        """Returns one step that no draw hides."""
        if participations == 0:
            return Steps(alone(1.0), self.noise_multiplier, 0)
        return Steps(alone(1.0), self.noise_multiplier / self.reach(participations), 1)

    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""
        return f"noise {self.noise_multiplier:.2f} × clip {self.clip:g}, on the device"

    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens its ledger; a charge is one visit of a device."""
        return self.opening(noise=noise)

    @classmethod
    def read(cls, terms: Terms) -> LocalGaussian:
        """Returns the mechanism that the terms of a ledger describe."""
        return cls(noise_multiplier=terms.noise_multiplier, clip=terms.clip, delta=terms.delta)

    def reach(self, participations: int) -> float:
        """Returns how far another library moves all updates together at most, in clips."""
        return DIAMETER * math.sqrt(participations)


def least_noise(target: float, *, participations: int, delta: float) -> float:
    """Returns the least noise multiplier whose ε after so many visits is at most ``target``."""
    return analytic_gaussian.noise(target, delta=delta) * DIAMETER * math.sqrt(participations)


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalSettings(Budget, DeviceSettings):
    """Each device adds noise to its own update: nobody else need be trusted.

    Attributes:
        delta: The δ of the guarantee, below one over the number of devices.
        max_participations: Visits after which a device declines.
    """

    at = "privacy.device"
    makes = (LocalGaussian,)
    at_server = False
    mechanism: Literal["local"] = "local"
    delta: Annotated[float, Interval(ge=1e-12, lt=1)]
    max_participations: Times

    def derive(self) -> LocalMechanism:
        """Returns the mechanism: with the noise that is given, or that ``epsilon`` needs."""
        without = LocalGaussian(noise_multiplier=0.0, clip=self.clip, delta=self.delta)
        if self.noise_multiplier is not None:
            return replace(without, noise_multiplier=self.noise_multiplier)
        noise = without.noise_for(self.target, self.max_participations)
        return replace(without, noise_multiplier=noise)

    def protected(self, run: Federation) -> Protected:
        """Returns what protects a library."""
        check_delta(self.delta, devices=run.devices)
        chosen = self.derive()
        visits = self.affordable(chosen, most=self.max_participations)
        return Protected(mechanism=chosen, times=visits)

    def contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses neither noise nor ε, or ε without noise."""
        return self.budget_contradiction()

    @property
    def own_clip(self) -> float:
        """Largest norm of what a device sends, before its noise."""
        return self.clip

    def longest_mean(
        self, longest: float, *, rounds: int, cohort: float, noise: float, spread: float
    ) -> float:
        """Returns the largest norm of a round's mean update: that of one update."""
        return min(longest, self.clip) + noise * self.clip * spread
