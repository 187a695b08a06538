"""The ε of correlated noise: one Gaussian mechanism for all the rounds together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from privacy.accounting import analytic_gaussian, rdp
from privacy.correlation import toeplitz


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrelatedGaussian:
    """Federated averaging with correlated noise (DP-FTRL, Kairouz et al. 2021), unit *device*.

    Formal guarantee: let two populations differ in one device, whose update is what it sends in
    the one and zero in the other, each time that it takes part. The models after any of the
    ``rounds`` (and so all that is computed from them) are (``epsilon()``, ``delta``)-
    differentially private for whoever sees them and no update. This holds for updates of norm
    at most the clip with the same weight, of devices that take part at most ``participations``
    times and at least ``separation`` rounds apart; for sums with noise_multiplier · clip ·
    (row t of C⁻¹ Z), also where nobody came; and for a public divisor. Updates may depend on
    earlier models: C is lower-triangular (Denisov et al., arXiv 2202.08312, theorem 2.1). A
    device that is added or removed is covered too where no other device's part depends on it.

    Who takes part is no secret and earns nothing. ``noise_multiplier`` is the deviation of Z
    over the clip; that of a round's noise depends on the scale of the coefficients, ε does not
    where both are scaled. "Up to floating point": the noise is float64.

    Attributes:
        noise_multiplier: Standard deviation of Z over the clip.
        coefficients: The first column of C; those not given are zero.
        rounds: Rounds of the run.
        separation: Rounds from one participation of a device to the next, at least.
        participations: Participations of one device, at most.
        clip: Largest L2 norm of one update.
        delta: The δ of the guarantee.
    """

    noise_multiplier: float
    coefficients: tuple[float, ...]
    rounds: int
    separation: int
    participations: int
    clip: float
    delta: float

    @property
    def sensitivity(self) -> float:
        """How far one device moves C x at most in all rounds, in units of the clip."""
        return self.reach(self.rounds)

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds, in closed form (Balle and Wang 2018).

        The first rows of C⁻¹ Z are those of a smaller C. Without noise it is infinite.
        """
        if rounds == 0:
            return 0.0
        noise = self.noise_multiplier / self.reach(rounds)
        return analytic_gaussian.epsilon(noise, delta=self.delta)

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, by our own Rényi accounting."""
        if rounds == 0:
            return 0.0
        noise = self.noise_multiplier / self.reach(rounds)
        return rdp.epsilon(rate=1.0, noise_multiplier=noise, steps=1, delta=self.delta)

    def reach(self, rounds: int) -> float:
        """Returns how far one device moves C x at most in the first rounds, in clips."""
        return toeplitz.sensitivity(
            np.array(self.coefficients),
            rounds,
            separation=self.separation,
            participations=self.participations,
        )


def least_noise(target: float, *, sensitivity: float, delta: float) -> float:
    """Returns the least noise multiplier whose ε is at most ``target``.

    Args:
        target: The promised ε, above 0.
        sensitivity: That of the strategy: ``toeplitz.sensitivity``.
        delta: The δ of the guarantee.

    Raises:
        ValueError: ``target`` is not above 0.
    """
    if not 0 < target < math.inf:
        raise ValueError(
            f"epsilon={target:g} must be finite and above 0; raise it, or train without noise."
        )
    return analytic_gaussian.noise(target, delta=delta) * sensitivity
