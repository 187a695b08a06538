"""Noise on a device's own update: what protects a whole device from the server too."""

import math
from dataclasses import dataclass

from privacy.accounting import analytic_gaussian, rdp

DIAMETER = 2.0
"""Clips between two updates at most, each one clip long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalGaussian:
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

    def reach(self, participations: int) -> float:
        """Returns how far another library moves all updates together at most, in clips."""
        return DIAMETER * math.sqrt(participations)


def least_noise(target: float, *, participations: int, delta: float) -> float:
    """Returns the least noise multiplier whose ε after so many visits is at most ``target``."""
    return analytic_gaussian.noise(target, delta=delta) * DIAMETER * math.sqrt(participations)
