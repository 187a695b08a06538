"""The sum of a cohort's updates with noise: what protects a whole device at the server."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from privacy.accounting import noise_search, pld, rdp
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.crowds import crowds


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortGaussian:
    """Federated averaging under differential privacy (McMahan et al. 2018), unit *device*.

    Formal guarantee: let two populations of the same public size differ in one device, which
    contributes what it sends in the one and nothing in the other. The models after ``rounds``
    rounds (and so all that is computed from them) are (``epsilon(rounds)``, ``delta``)-
    differentially private for whoever sees them and neither an update nor a cohort. This holds
    for ``sampling`` with secret coins, updates of norm at most ``clip`` with the same weight,
    noise of ``noise_multiplier · clip`` on their sum also where nobody came, and a divisor that
    is public. A reply that is lost or refused for what it is takes its own term away and no
    other. "Up to floating point": the noise is float64. The server is trusted to do all this.

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
        """Returns the ε after so many rounds: the least of several bounds."""
        return pld.capped_epsilon(
            self.sampling,
            noise_multiplier=self.noise_multiplier,
            rounds=rounds,
            delta=self.delta,
        )

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, by our own Rényi accounting."""
        return rdp.crowded_epsilon(
            crowds(self.sampling),
            noise_multiplier=self.noise_multiplier,
            steps=rounds,
            delta=self.delta,
        )


@lru_cache(maxsize=256)
def least_noise(
    target: float, *, sampling: CappedPoissonSampling, rounds: int, delta: float
) -> float:
    """Returns a noise multiplier, within 0.5% of the least, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        sampling: Who takes part.
        rounds: Rounds of the run.
        delta: The δ of the guarantee.

    Raises:
        ValueError: The promise cannot be met; ``NextToNoNoiseError`` where it asks for none.
    """

    def bound(sigma: float, interval: float) -> float:
        return pld.capped_epsilon(
            sampling,
            noise_multiplier=sigma,
            rounds=rounds,
            delta=delta,
            interval=interval,
        )

    found = noise_search.least(
        bound, target, crowds=crowds(sampling), steps=rounds, delta=delta
    )
    return granted(found, target=target)


def granted(found: float, *, target: float) -> float:
    """Returns the noise multiplier that a search found for the unit *device*.

    Args:
        found: Infinite where none is enough, 0 where next to none is.
        target: The promised ε.

    Raises:
        ValueError: The promise cannot be met; ``NextToNoNoiseError`` where it asks for none.
    """
    if found == math.inf:
        raise ValueError(
            f"privacy.device.epsilon={target:g} cannot be met; raise it, or lower "
            "server.rounds or server.cohort."
        )
    if found == 0:
        raise noise_search.NextToNoNoiseError(
            f"privacy.device.epsilon={target:g} asks for next to no noise; lower it, or "
            "use privacy/device=none for a run without this promise."
        )
    return found
