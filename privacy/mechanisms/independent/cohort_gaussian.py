"""The sum of a cohort's updates with noise: what protects a whole device at the server."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from privacy.accounting import attack, noise_search, pld, rdp
from privacy.accounting.steps import Steps
from privacy.mechanisms.base.mechanism import CentralMechanism, sampling_of
from privacy.mechanisms.base.release import Mean, PoissonCohorts, Update, clipped_sum
from privacy.mechanisms.moments.dpsgd import release
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.crowds import crowds

if TYPE_CHECKING:
    from privacy.ledger.records import Noise, Terms
    from privacy.noise import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortGaussian(CentralMechanism):
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

    sampler = "capped poisson"
    sampling: CappedPoissonSampling
    noise_multiplier: float
    clip: float
    delta: float

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds: the least of several bounds."""
        return self.on_grid(rounds, None)

    @property
    def sampled(self) -> CohortGaussian:
        """Itself."""
        return self

    def on_grid(self, rounds: int, interval: float | None) -> float:
        """Returns the ε on a grid of losses of that width; see ``pld.capped_epsilon``."""
        return pld.capped_epsilon(
            self.sampling,
            noise_multiplier=self.noise_multiplier,
            rounds=rounds,
            delta=self.delta,
            interval=interval,
        )

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, by our own Rényi accounting."""
        return rdp.crowded_epsilon(
            crowds(self.sampling),
            noise_multiplier=self.noise_multiplier,
            steps=rounds,
            delta=self.delta,
        )

    def noise_for(self, target: float, rounds: int) -> float:
        """Returns a noise multiplier; see ``least_noise``."""
        return least_noise(target, sampling=self.sampling, rounds=rounds, delta=self.delta)

    def steps_of(self, rounds: int) -> Steps:
        """Returns one step for each round, in the crowds that a device can meet."""
        return Steps(crowds(self.sampling), self.noise_multiplier, rounds)

    def attack(self, rounds: int) -> float:
        """Returns the ε that a thresholded sum proves where all others send zero."""
        return attack.epsilon(
            rate=math.fsum(weight * rate for weight, rate in crowds(self.sampling)),
            noise_multiplier=self.noise_multiplier,
            steps=rounds,
            delta=self.delta,
        )

    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""
        return f"noise {self.noise_multiplier:.2f} × clip {self.clip:g}, at the server"

    def remarks(self) -> tuple[str, ...]:
        """Returns that cohorts are secret, and how large they are at most."""
        return (f"secret cohorts of {self.sampling.cap} at most",)

    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens its ledger; a charge is one round."""
        return self.opening(noise=noise, sampling=self.sampling)

    @classmethod
    def read(cls, terms: Terms) -> CohortGaussian:
        """Returns the mechanism that the terms of a ledger describe."""
        return cls(
            sampling=sampling_of(terms),
            noise_multiplier=terms.noise_multiplier,
            clip=terms.clip,
            delta=terms.delta,
        )


class IndependentRelease(PoissonCohorts):
    """Poisson cohorts, one clip, independent noise."""

    def __init__(
        self, mechanism: CohortGaussian, *, size: int, layers: Sequence[int] = ()
    ) -> None:
        super().__init__(mechanism.sampling)
        self._mechanism = mechanism
        self._size = size
        self._layers = layers

    def mean(self, deltas: Iterable[Update], *, source: Source) -> Mean:
        """Returns ``protected_mean``."""
        return protected_mean(
            deltas, self._mechanism, size=self._size, source=source, layers=self._layers
        )


def protected_mean(
    deltas: Iterable[Update],
    mechanism: CohortGaussian,
    *,
    size: int,
    source: Source,
    layers: Sequence[int] = (),
) -> Mean:
    """Returns the noisy sum of clipped ``deltas`` over the expected cohort.

    Guarantees:
      * each update moves the sum by at most ``mechanism.clip``, whatever it is;
      * the noise is the same whoever came, also where nobody did;
      * the divisor is the sampling's own, never the number that came.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        mechanism: What runs and is accounted.
        size: Length of an update.
        source: Secret draws of this round.
        layers: Lengths of the layers that are clipped alone; none clips updates as a whole.
    """
    total, count = clipped_sum(deltas, mechanism.clip, size=size, layers=layers)
    released = release(
        total,
        deviation=mechanism.noise_multiplier * mechanism.clip,
        stream=source.stream("noise"),
    )
    return Mean(value=released / mechanism.sampling.expected, count=count)


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
