"""The sum of a cohort's updates with noise: what protects a whole device at the server."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from privacy import accounting, rdp
from privacy.cohort_sampling import CappedPoissonSampling

TOLERANCE = 1e-2
COARSE = 5e-4
LEAST, MOST = 0.1, 1e4
STRIDE = 1.5


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortGaussian:
    """Federated averaging under differential privacy (McMahan et al. 2018), unit *device*.

    Formal guarantee: let two populations of the same public size differ in one device, whose
    update is what it sends in the one and zero in the other. The models after ``rounds`` rounds
    (and so all that is computed from them) are (``epsilon(rounds)``, ``delta``)-differentially
    private for whoever sees them and neither an update nor a cohort. This holds for
    ``sampling`` with secret coins, updates of norm at most ``clip`` with the same weight, noise
    of ``noise_multiplier · clip`` on their sum also where nobody came, and a divisor that is
    public. A reply that is lost or refused for what it is takes its own term away and no other.
    "Up to floating point": the noise is float64. The server is trusted to do all this.

    Attributes:
        sampling: Who takes part.
        noise_multiplier: Standard deviation of the noise over ``clip``.
        clip: Largest L2 norm of one update.
        delta: The δ of the guarantee.
    """

    sampling: CappedPoissonSampling
    noise_multiplier: float
    clip: float
    delta: float

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds, by privacy loss distributions."""
        return accounting.capped_epsilon(
            self.sampling,
            noise_multiplier=self.noise_multiplier,
            rounds=rounds,
            delta=self.delta,
        )

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, by our own Rényi accounting.

        Without the cap a round is Poisson sampling. With it, it is the same round but for an
        event of probability ``sampling.overflow``; by coupling, (ε, δ') of the former is
        (ε, δ' + (1 + e^ε) · rounds · overflow) of the latter. Infinite where half of δ does not
        hold the second term.
        """
        found = rdp.epsilon(
            rate=self.sampling.rate,
            noise_multiplier=self.noise_multiplier,
            steps=rounds,
            delta=self.delta / 2,
        )
        if not math.isfinite(found) or found > math.log(2.0**1000):
            return math.inf
        lost = (1 + math.exp(found)) * rounds * self.sampling.overflow
        return found if lost <= self.delta / 2 else math.inf


@lru_cache(maxsize=256)
def least_noise(
    target: float, *, sampling: CappedPoissonSampling, rounds: int, delta: float
) -> float:
    """Returns a noise multiplier, within 1% of the least, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        sampling: Who takes part.
        rounds: Rounds of the run.
        delta: The δ of the guarantee.

    Raises:
        ValueError: The promise cannot be met, or asks for next to no noise.
    """

    def kept(sigma: float) -> bool:
        found = accounting.capped_epsilon(
            sampling,
            noise_multiplier=sigma,
            rounds=rounds,
            delta=delta,
            interval=max(accounting.FINE, COARSE * target),
        )
        return found <= target

    high = _enough(target, kept)
    low = high / STRIDE
    while high / low > 1 + TOLERANCE:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if kept(middle) else (middle, high)
    return high


def _enough(target: float, kept: Callable[[float], bool]) -> float:
    """The least noise of those a stride apart that is enough."""
    sigma = 1.0
    while not kept(sigma):
        sigma *= STRIDE
        if sigma > MOST:
            raise ValueError(
                f"privacy.device.epsilon={target:g} cannot be met; raise it, or lower "
                "server.rounds or server.cohort."
            )
    while kept(sigma / STRIDE):
        sigma /= STRIDE
        if sigma < LEAST:
            raise ValueError(
                f"privacy.device.epsilon={target:g} asks for next to no noise; lower it, or "
                "use privacy/device=none for a run without this promise."
            )
    return sigma
