"""The sum of a cohort's integers with integer noise: a device's ε without floating point."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from privacy.accounting import coupling, noise_search, rdp
from privacy.accounting.steps import Steps
from privacy.integers.grid import STEPS, IntegerGrid
from privacy.integers.release import integer_release
from privacy.mechanisms.base.mechanism import CentralMechanism, sampling_of, whole
from privacy.mechanisms.base.release import Floats, Mean, PoissonCohorts, Update
from privacy.mechanisms.independent.cohort_gaussian import granted
from privacy.mechanisms.moments.integer_dpsgd import GRID
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.crowds import crowds

if TYPE_CHECKING:
    from privacy.ledger.records import Noise, Terms
    from privacy.noise import Source, Stream

TOLERANCE = 1e-3
"""How near the least noise the search ends, relative, as ``least_noise`` promises. A tenth of
it takes 17 trials for 14."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerGaussian(CentralMechanism):
    """Federated averaging with discrete Gaussian noise on integers, unit *device*.

    Formal guarantee: let two populations of the same public size differ in one device, whose
    update is what it sends in the one and zero in the other. The models after ``rounds`` rounds
    (and so all that is computed from them) are (``epsilon(rounds)``, ``delta``)-differentially
    private for whoever sees them and neither an update nor a cohort. This holds for
    ``sampling`` with secret coins, and where each round releases ``integer_sum`` of the cohort,
    also where nobody came, over a public divisor. Bound, noise and sum are integers, so this
    claim is not "up to floating point", but for the last digits of ε itself and of a coin's
    probability, and for tails of the noise below 10^-220.

    Why: let v be the device's integers, Q the noise on what the others sent and P = Q + v.

    * k |v| steps are whole, so E_Q[(P/Q)^k] = exp(k(k - 1)|v|²/2s²) for whole k, as for the
      continuous Gaussian (Canonne, Kamath and Steinke 2020); |v|/s ≤ 1/``noise_multiplier``.
    * So for a rate r and whole α the binomial theorem bounds E_Q[(1 - r + r P/Q)^α] by the sum
      of ``rdp.step_rdp``.
    * x → v - x exchanges P and Q, so the divergence from Q to the mixture is no larger
      (Mironov, Talwar and Zhang 2019, theorem 5).
    * Who else takes part has one distribution in both populations, so the moments of a round
      are at most the mean over it: ``crowds.crowds`` says what a device can meet.

    Attributes:
        sampling: Who takes part.
        noise_multiplier: Parameter of the noise over ``clip``, before it is rounded up.
        clip: Largest L2 norm of one update.
        delta: The δ of the guarantee.
        steps: Steps of the grid in one clip.
    """

    sampler = "capped poisson, integers"
    by = "divergences of integers"
    integers = True
    sampling: CappedPoissonSampling
    noise_multiplier: float
    clip: float
    delta: float
    steps: int = STEPS

    def __post_init__(self) -> None:
        self.grid.deviation(self.noise_multiplier)

    @property
    def grid(self) -> IntegerGrid:
        """What updates are rounded to."""
        return IntegerGrid(clip=self.clip, steps=self.steps)

    @property
    def deviation(self) -> int:
        """The parameter of the noise in steps, rounded up to a whole one."""
        return self.grid.deviation(self.noise_multiplier)

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds, by Rényi accounting at whole orders."""
        return epsilon(
            self.sampling,
            noise_multiplier=self.noise_multiplier,
            rounds=rounds,
            delta=self.delta,
        )

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, by another formula for the cap."""
        if rounds == 0:
            return 0.0
        return coupling.epsilon(
            self.sampling,
            noise_multiplier=self.noise_multiplier,
            rounds=rounds,
            delta=self.delta,
        )

    def noise_for(self, target: float, rounds: int) -> float:
        """Returns a noise multiplier; see ``least_noise``."""
        return least_noise(target, sampling=self.sampling, rounds=rounds, delta=self.delta)

    def steps_of(self, rounds: int) -> Steps:
        """Returns one step for each round, whose moments of whole orders alone are known."""
        return Steps(crowds(self.sampling), self.noise_multiplier, rounds, integers=True)

    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""
        amount = f"discrete noise {self.noise_multiplier:.2f} × clip {self.clip:g}"
        return f"{amount} on integers, at the server"

    def remarks(self) -> tuple[str, ...]:
        """Returns that cohorts are secret, and how large they are at most."""
        return (f"secret cohorts of {self.sampling.cap} at most",)

    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens its ledger; a charge is one round."""
        return self.opening(noise=noise, sampling=self.sampling, public={GRID: self.steps})

    @classmethod
    def read(cls, terms: Terms) -> IntegerGaussian:
        """Returns the mechanism that the terms of a ledger describe."""
        return cls(
            sampling=sampling_of(terms),
            noise_multiplier=terms.noise_multiplier,
            clip=terms.clip,
            delta=terms.delta,
            steps=whole(terms, GRID),
        )


@lru_cache(maxsize=4096)
def epsilon(
    sampling: CappedPoissonSampling, *, noise_multiplier: float, rounds: int, delta: float
) -> float:
    """Returns the ε of the guarantee of ``IntegerGaussian``, the least of both bounds.

    Args:
        sampling: Who takes part in a round, by a secret coin.
        noise_multiplier: Parameter of the noise over the largest norm; 0 gives infinity.
        rounds: Composed rounds, whose results are all seen; 0 gives 0.
        delta: The δ of the guarantee.
    """
    if rounds == 0:
        return 0.0
    setting = {"noise_multiplier": noise_multiplier, "delta": delta}
    in_crowds = rdp.crowded_epsilon(
        crowds(sampling), steps=rounds, orders=rdp.WHOLE_ORDERS, **setting
    )
    return min(in_crowds, coupling.epsilon(sampling, rounds=rounds, **setting))


def least_noise(
    target: float, *, sampling: CappedPoissonSampling, rounds: int, delta: float
) -> float:
    """Returns a noise multiplier, within 0.1% of the least, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        sampling: Who takes part.
        rounds: Rounds of the run.
        delta: The δ of the guarantee.

    Raises:
        ValueError: The promise cannot be met, or asks for next to no noise.
    """

    def kept(sigma: float) -> bool:
        found = epsilon(sampling, noise_multiplier=sigma, rounds=rounds, delta=delta)
        return found <= target

    low, high = noise_search.LEAST, noise_search.MOST
    if not kept(high):
        return granted(math.inf, target=target)
    if kept(low):
        return granted(0.0, target=target)
    while high / low > 1 + TOLERANCE:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if kept(middle) else (middle, high)
    return high


class IntegerRelease(PoissonCohorts):
    """Poisson cohorts, one clip, and discrete noise on an exact sum of integers."""

    def __init__(self, mechanism: IntegerGaussian, *, size: int) -> None:
        super().__init__(mechanism.sampling)
        self._mechanism = mechanism
        self._size = size

    def mean(self, deltas: Iterable[Update], *, source: Source) -> Mean:
        """Returns ``integer_mean``."""
        return integer_mean(deltas, self._mechanism, size=self._size, source=source)


def integer_mean(
    deltas: Iterable[Update], mechanism: IntegerGaussian, *, size: int, source: Source
) -> Mean:
    """Returns the noisy integer sum of ``deltas`` over the expected cohort.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        mechanism: What runs and is accounted.
        size: Length of an update.
        source: Secret draws of this round.
    """
    count = 0

    def counted() -> Iterator[Update]:
        nonlocal count
        for delta in deltas:
            count += 1
            yield delta

    total = integer_sum(counted(), mechanism, size=size, stream=source.stream("noise"))
    return Mean(value=total / mechanism.sampling.expected, count=count)


def integer_sum(
    updates: Iterable[Update],
    mechanism: IntegerGaussian,
    *,
    size: int,
    stream: Stream,
) -> Floats:
    """Returns [size] the noisy sum of clipped updates, in their own unit.

    Guarantees:
      * an update moves the integers of the sum by a vector of norm at most ``mechanism.steps``,
        whatever it holds; one that is not finite does not move them;
      * the noise is discrete Gaussian with ``mechanism.deviation``, also where nobody came;
      * the integer sum is exact and the same in any order, so that it may be taken modulo a
        power of two and under masks: what follows it is one product by a public number.

    Args:
        updates: [size] each, fewer than 2^42 of them.
        mechanism: What runs and is accounted.
        size: Length of an update.
        stream: Secret draws of this round and of nothing else.

    Raises:
        ValueError: An update has another length: spread over the sum it would pass the bound.
    """
    grid = mechanism.grid
    total = np.zeros(size, np.int64)
    for update in updates:
        if update.shape != (size,):
            raise ValueError(
                f"an update of shape {update.shape} must have the shape ({size},); refuse it "
                "before it is added."
            )
        total += grid.integers(update)
    return integer_release(total, grid, deviation=mechanism.deviation, stream=stream)
