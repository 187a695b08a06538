"""The sum of a cohort of fixed size with noise: what it costs to be replaced, or to be zero."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from dp_accounting import (
    GaussianDpEvent,
    NeighboringRelation,
    SampledWithoutReplacementDpEvent,
    SelfComposedDpEvent,
)
from dp_accounting.rdp import RdpAccountant

from privacy import analytic_gaussian, rdp
from privacy.fixed_size_sampling import FixedSizeSampling

DIAMETER = 2.0
# More would take the library seconds.
ORDERS = tuple(range(2, 64))


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedSizeGaussian:
    """Federated averaging with cohorts of fixed size, unit *device*: no credit for sampling.

    Formal guarantee: let two populations of the same public size differ in one device, whose
    update is what it sends in the one and zero in the other. The models after ``rounds`` rounds
    (and so all that is computed from them) are (``epsilon(rounds)``, ``delta``)-differentially
    private for whoever sees them and no update, even one who knows every cohort. This holds for
    any choice of cohorts that no update influences, updates of norm at most ``clip`` with the
    same weight, noise of ``noise_multiplier · clip`` on their sum also where nobody came, and a
    public divisor. Given the cohorts, each round moves by at most ``clip``, in at most
    ``participations`` rounds, so that the rounds together are one Gaussian mechanism (Dong,
    Roth and Su, arXiv 1905.02383, corollary 3.3; Balle and Wang 2018, theorem 8). "Up to
    floating point": the noise is float64.

    The draw earns nothing here, secret or not: what is known of its worth speaks of a device
    that is replaced (``FixedSizeReplaceOne``).

    Attributes:
        sampling: Who takes part.
        noise_multiplier: Standard deviation of the noise over ``clip``.
        clip: Largest L2 norm of one update.
        delta: The δ of the guarantee.
        participations: Rounds to which one device adds at most, after which it sends zero; None
            where nothing holds it back, and any device can be in every round.
    """

    sampling: FixedSizeSampling
    noise_multiplier: float
    clip: float
    delta: float
    participations: int | None = None

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds, in closed form."""
        taken = self._taken(rounds)
        if taken == 0:
            return 0.0
        return analytic_gaussian.epsilon(
            self.noise_multiplier / math.sqrt(taken), delta=self.delta
        )

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, by our own Rényi accounting."""
        return rdp.epsilon(
            rate=1.0,
            noise_multiplier=self.noise_multiplier,
            steps=self._taken(rounds),
            delta=self.delta,
        )

    def _taken(self, rounds: int) -> int:
        """The rounds to which one device can add."""
        return rounds if self.participations is None else min(rounds, self.participations)


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedSizeReplaceOne:
    """Federated averaging with secret cohorts of fixed size, where a device is replaced.

    Formal guarantee: let two populations differ in one device, which is another one there. The
    models after ``rounds`` rounds are (``epsilon(rounds)``, ``delta``)-differentially private
    for whoever sees them and neither an update nor a cohort. This holds for fresh and secret
    draws of ``sampling`` in every round, updates of norm at most ``clip`` with the same weight,
    noise of ``noise_multiplier · clip`` on their sum, and a public divisor. It holds no more
    where a device declines after some rounds: what it does then depends on earlier draws.

    Two updates of norm at most C differ by 2C, so the noise over the *sensitivity* is half the
    noise multiplier. The smaller of two bounds is told: Rényi accounting of the sampling (Wang,
    Balle and Kasiviswanathan 2019, theorem 27) and the closed form without it.

    Attributes:
        sampling: Who takes part.
        noise_multiplier: Standard deviation of the noise over ``clip``.
        clip: Largest L2 norm of one update.
        delta: The δ of the guarantee.
    """

    sampling: FixedSizeSampling
    noise_multiplier: float
    clip: float
    delta: float

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds: the smaller of both bounds."""
        if rounds == 0:
            return 0.0
        noise = self.noise_multiplier / DIAMETER
        plain = analytic_gaussian.epsilon(noise / math.sqrt(rounds), delta=self.delta)
        return min(plain, self.epsilon_rdp(rounds))

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns the bound by Rényi accounting of the sampling alone."""
        if rounds == 0:
            return 0.0
        if self.noise_multiplier == 0:
            return math.inf
        return _sampled(
            self.sampling,
            noise=self.noise_multiplier / DIAMETER,
            rounds=rounds,
            delta=self.delta,
        )


@lru_cache(maxsize=256)
def _sampled(sampling: FixedSizeSampling, *, noise: float, rounds: int, delta: float) -> float:
    """The Rényi bound; ``noise`` is over the sensitivity: the library does not double it."""
    event = SampledWithoutReplacementDpEvent(
        source_dataset_size=sampling.devices,
        sample_size=sampling.cohort,
        event=GaussianDpEvent(noise),
    )
    accountant = RdpAccountant(ORDERS, neighboring_relation=NeighboringRelation.REPLACE_ONE)
    accountant.compose(SelfComposedDpEvent(event, rounds))
    return float(accountant.get_epsilon(delta))


def least_noise(target: float, *, participations: int, delta: float) -> float:
    """Returns the least noise multiplier of ``FixedSizeGaussian`` that keeps a promise.

    Args:
        target: The promised ε.
        participations: Rounds to which one device adds at most; all rounds without a limit.
        delta: The δ of the guarantee.

    Raises:
        ValueError: ``target`` is not finite and above 0, or nobody takes part.
    """
    if not 0 < target < math.inf:
        raise ValueError(
            f"privacy.device.epsilon={target:g} must be finite and above 0; raise it, or use "
            "privacy/device=none for a run without this promise."
        )
    if participations < 1:
        raise ValueError(
            f"participations={participations} must be at least 1; without any there is nothing "
            "to protect."
        )
    return analytic_gaussian.noise(target, delta=delta) * math.sqrt(participations)
