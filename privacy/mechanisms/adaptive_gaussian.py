"""A clip that follows the updates: what it learns of them is paid from the same ε."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.sampling.capped import CappedPoissonSampling

HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class AdaptiveGaussian:
    """A noisy sum whose clip follows a quantile of the norms (Andrew et al. 2021).

    Each device adds its clipped update and, in one more coordinate, +½ where the update was no
    longer than the clip and −½ where it was longer. In units of the clip of the round and of
    ``weight``, that is one vector of norm at most √(1 + weight² / 4) with the same noise on
    every coordinate: a round costs what one of ``CohortGaussian`` with ``noise_multiplier``
    costs, whatever the clip is, and its formal guarantee is that one's. The next clip is
    computed from what was released. Neighbours differ in one device that contributes nothing,
    neither an update nor a vote, in one of the populations: a zero update would still vote.

    Attributes:
        sampling: Who takes part.
        noise_multiplier: What is accounted: the noise of a round over the norm of that vector.
        clip: The clip of the first round.
        delta: The δ of the guarantee.
        quantile: Share of the updates that should be no longer than the clip.
        lr: How fast the logarithm of the clip follows.
        share: Share of 1 / noise_multiplier² that the counted coordinate takes, from 0 to 1.
    """

    sampling: CappedPoissonSampling
    noise_multiplier: float
    clip: float
    delta: float
    quantile: float
    lr: float
    share: float

    @cached_property
    def accounted(self) -> CohortGaussian:
        """What a round costs."""
        return CohortGaussian(
            sampling=self.sampling,
            noise_multiplier=self.noise_multiplier,
            clip=self.clip,
            delta=self.delta,
        )

    @property
    def update_noise(self) -> float:
        """Deviation of the noise on the sum of updates, in clips: z_Δ of the paper."""
        return self.noise_multiplier / math.sqrt(1 - self.share)

    @property
    def count_noise(self) -> float:
        """Deviation of the noise on the sum of the ±½: σ_b of the paper."""
        return self.noise_multiplier / (2 * math.sqrt(self.share))

    def epsilon(self, rounds: int) -> float:
        """Returns the ε after so many rounds, by privacy loss distributions."""
        return self.accounted.epsilon(rounds)

    def epsilon_rdp(self, rounds: int) -> float:
        """Returns a looser bound on the same ε, as of ``CohortGaussian``."""
        return self.accounted.epsilon_rdp(rounds)

    def unclipped(self, noisy_count: float) -> float:
        """Returns the estimated share of updates no longer than the clip, from 0 to 1.

        Args:
            noisy_count: The released sum of the ±½; the divisor is the expected cohort.
        """
        expected = self.sampling.rate * self.sampling.devices
        return min(max(HALF + noisy_count / expected, 0.0), 1.0)

    def next_clip(self, clip: float, *, unclipped: float) -> float:
        """Returns the clip of the next round: larger where too few updates were within it."""
        return clip * math.exp(-self.lr * (unclipped - self.quantile))


def vote(norm: float, clip: float) -> float:
    """Returns +½ for an update of this norm within the clip, −½ for a longer one or for NaN."""
    return HALF if norm <= clip else -HALF
