"""A clip that follows the updates: what it learns of them is paid from the same ε."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Interval

from privacy.accounting.steps import Steps
from privacy.clipping.updates import clipped_update, holding
from privacy.mechanisms.base.mechanism import CentralMechanism
from privacy.mechanisms.base.release import (
    Mean,
    PoissonCohorts,
    Release,
    State,
    Update,
    check_names,
)
from privacy.mechanisms.base.unit_settings import Federation, Protected, check_delta
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.independent.larger_federation import LargerFederation
from privacy.mechanisms.moments.dpsgd import release
from privacy.sampling.capped import CappedPoissonSampling

if TYPE_CHECKING:
    from privacy.ledger.records import Noise, Terms
    from privacy.noise import Source

HALF = 0.5
"""A vote, but for its sign: b − ½ of Andrew et al. 2021. It moves the count by half of what a
vote of 0 or 1 does, and the noise on the count is half as large at the same ε."""

MOST_GROWTH = math.log(1e30)
"""Logarithm of the farthest that a clip can rise: beyond it float32 overflows anyway."""

Share = Annotated[float, Interval(gt=0, lt=1)]


@dataclass(frozen=True, kw_only=True)
class AdaptiveGaussian(CentralMechanism):
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

    sampler = "capped poisson"
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
        """Returns a looser bound on the same ε: that of ``accounted``."""
        return self.accounted.epsilon_rdp(rounds)

    def noise_for(self, target: float, rounds: int) -> float:
        """Returns a noise multiplier; see ``CohortGaussian``."""
        return self.accounted.noise_for(target, rounds)

    def steps_of(self, rounds: int) -> Steps:
        """Returns the steps of ``accounted``."""
        return self.accounted.steps_of(rounds)

    def attack(self, rounds: int) -> float:
        """Returns the ε that an attack on ``accounted`` proves: all votes are known."""
        return self.accounted.attack(rounds)

    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""
        amount = f"noise {self.update_noise:.2f} × a clip that follows the updates"
        return f"{amount} from {self.clip:g}, at the server"

    def remarks(self) -> tuple[str, ...]:
        """Returns that cohorts are secret, and how large they are at most."""
        return self.accounted.remarks()

    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens its ledger; a charge is one round."""
        public: dict[str, float | str] = {
            "clip": "adaptive, from that of the first round",
            "quantile": self.quantile,
            "count share": self.share,
            "noise on updates, in clips": self.update_noise,
        }
        return self.opening(noise=noise, sampling=self.sampling, public=public)

    @classmethod
    def read(cls, terms: Terms) -> CohortGaussian:
        """Returns what a round costs: a ledger keeps no more of it."""
        return CohortGaussian.read(terms)

    def unclipped(self, noisy_count: float) -> float:
        """Returns the estimated share of updates no longer than the clip, from 0 to 1.

        Args:
            noisy_count: The released sum of the ±½; the divisor is the expected cohort.
        """
        return min(max(HALF + noisy_count / self.sampling.expected, 0.0), 1.0)

    def next_clip(self, clip: float, *, unclipped: float) -> float:
        """Returns the clip of the next round: larger where too few updates were within it."""
        return clip * math.exp(-self.lr * (unclipped - self.quantile))


def vote(norm: float, clip: float) -> float:
    """Returns +½ for an update of this norm within the clip, −½ for a longer one or for NaN."""
    return HALF if norm <= clip else -HALF


class AdaptiveRelease(PoissonCohorts):
    """Poisson cohorts, independent noise, and a clip that follows the updates."""

    def __init__(
        self, mechanism: AdaptiveGaussian, *, size: int, layers: Sequence[int] = ()
    ) -> None:
        super().__init__(mechanism.sampling)
        self._mechanism = mechanism
        self._size = size
        self._layers = layers
        self._clip = mechanism.clip

    def state(self) -> State:
        """Returns the clip of the next round, which follows from what was released."""
        return {"clip": np.array(self._clip)}

    def restore(self, state: State) -> None:
        """Goes on with that clip."""
        check_names(state, ("clip",))
        self._clip = float(state["clip"])

    def mean(self, deltas: Iterable[Update], *, source: Source) -> Mean:
        """Returns ``adaptive_mean``, and moves the clip."""
        mean = adaptive_mean(
            deltas,
            self._mechanism,
            clip=self._clip,
            size=self._size,
            source=source,
            layers=self._layers,
        )
        self._clip = self._mechanism.next_clip(self._clip, unclipped=mean.released["unclipped"])
        return mean


def adaptive_mean(
    deltas: Iterable[Update],
    mechanism: AdaptiveGaussian,
    *,
    clip: float,
    size: int,
    source: Source,
    layers: Sequence[int] = (),
) -> Mean:
    """Returns the noisy mean at the clip of this round, and the share that was within it.

    Guarantees:
      * one update moves the sum by at most ``clip`` and the count by ½, together no more than
        ``mechanism`` accounts for;
      * ``clip`` and the share ``unclipped`` come from noisy counts alone, so they may be
        released.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        mechanism: What runs and is accounted.
        clip: The clip of this round.
        size: Length of an update.
        source: Secret draws of this round.
        layers: Same as ``protected_mean``.
    """
    total, votes, count = np.zeros(size), np.zeros(1), 0
    for delta in deltas:
        total += clipped_update(delta, clip, layers=layers)
        votes += vote(holding(delta, layers=layers), clip)
        count += 1
    noise = source.stream("noise")
    released = release(total, deviation=mechanism.update_noise * clip, stream=noise)
    counted = release(votes, deviation=mechanism.count_noise, stream=source.stream("count"))
    figures = {"clip": clip, "unclipped": mechanism.unclipped(float(counted[0]))}
    return Mean(value=released / mechanism.sampling.expected, count=count, released=figures)


@dataclass(frozen=True, kw_only=True, slots=True)
class AdaptiveSettings(LargerFederation):
    """Same as ``gaussian``, with a clip that follows the updates.

    Attributes:
        quantile: Share of updates that the clip leaves as they are.
        clip_lr: How fast the logarithm of the clip follows.
        count_share: Share of the budget for the count that the clip follows.
    """

    makes = (CohortGaussian,)
    mechanism: Literal["adaptive"] = "adaptive"
    quantile: Share
    clip_lr: Annotated[float, Interval(gt=0, le=10)]
    count_share: Share

    def protected(self, run: Federation) -> Protected:
        """Returns what protects a library."""
        check_delta(self.delta, devices=run.devices)
        without = self._derived(run, self.noise_multiplier or 0.0)
        noise = self.noise_multiplier
        if noise is None:
            meant, scale = self.meant(without.accounted, run)
            noise = scale * meant.noise_for(self.target, run.rounds)
        chosen = self._derived(run, noise)
        return self.protecting(
            chosen,
            run,
            release=partial(self._release, chosen),
            extrapolated=self.extrapolated(chosen.accounted),
        )

    def contradiction(self, *, cohort: float) -> str | None:
        """Returns the sentence that refuses a budget or a larger federation."""
        budget = self.budget_contradiction()
        return budget or self.larger_contradiction(cohort=cohort)

    @property
    def own_clip(self) -> float:
        """Infinite: the clip moves, so only the server clips."""
        return math.inf

    def growth(self, rounds: int) -> float:
        """Returns how far the clip can rise in so many rounds."""
        return math.exp(min(self.clip_lr * rounds, MOST_GROWTH))

    def _derived(self, run: Federation, noise: float) -> AdaptiveGaussian:
        return AdaptiveGaussian(
            sampling=self.sampling(run),
            noise_multiplier=noise,
            clip=self.clip,
            delta=self.delta,
            quantile=self.quantile,
            lr=self.clip_lr,
            share=self.count_share,
        )

    def _release(self, chosen: AdaptiveGaussian, layers: Sequence[int]) -> Release:
        alone = self.clipped_alone(layers)
        return AdaptiveRelease(chosen, size=sum(layers), layers=alone)
