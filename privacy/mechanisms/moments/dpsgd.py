"""Differentially private SGD on one device: what runs is what is accounted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from privacy.accounting import attack, noise_search, pld, rdp
from privacy.accounting.steps import Steps
from privacy.clipping.sensitivity import SENSITIVITY
from privacy.mechanisms.base.mechanism import MomentMechanism
from privacy.sampling.crowds import alone
from privacy.sampling.poisson import PoissonSampling

if TYPE_CHECKING:
    from privacy.ledger.records import Noise, Terms
    from privacy.noise import Stream


@dataclass(frozen=True, kw_only=True, slots=True)
class DpSgd(MomentMechanism):
    """The steps of a visit (Abadi et al. 2016), for the unit *example*.

    Formal guarantee: let two libraries differ by one moment. A device that took part k times,
    each visit ``steps`` steps of ``sampling``, clipping to ``clip`` and ``release``, has shown
    something (``epsilon(k)``, ``delta``)-differentially private to whoever saw all of it. This
    holds when the divisor of the sums is public, and it takes no credit for the draw of cohorts
    nor for what other devices add. One moment may move a sum by ``SENSITIVITY`` clips: what its
    rounding adds is accounted. "Up to floating point": the noise is float64.

    Attributes:
        sampling: The coins of the moments.
        noise_multiplier: Standard deviation of the noise over ``clip``.
        clip: Largest norm of one moment's gradient.
        steps: Steps of one visit.
        delta: The δ of the guarantee.
    """

    sampler = "poisson"
    sampling: PoissonSampling
    noise_multiplier: float
    clip: float
    steps: int
    delta: float

    @property
    def effective_noise(self) -> float:
        """The noise over what one moment moves: what every accountant is given."""
        return self.noise_multiplier / SENSITIVITY

    def epsilon(self, participations: int) -> float:
        """Returns the ε of a device after so many visits: the least of several bounds."""
        return pld.epsilon(
            rate=self.sampling.rate,
            noise_multiplier=self.effective_noise,
            steps=self.steps * participations,
            delta=self.delta,
        )

    def epsilon_rdp(self, participations: int) -> float:
        """Returns a looser bound on the same ε, by our own Rényi accounting."""
        return rdp.epsilon(
            rate=self.sampling.rate,
            noise_multiplier=self.effective_noise,
            steps=self.steps * participations,
            delta=self.delta,
        )

    @property
    def sampled(self) -> DpSgd:
        """Itself."""
        return self

    def on_grid(self, participations: int, interval: float) -> float:
        """Returns the ε on a grid of losses of that width; see ``pld.epsilon``."""
        return pld.epsilon(
            rate=self.sampling.rate,
            noise_multiplier=self.effective_noise,
            steps=self.steps * participations,
            delta=self.delta,
            interval=interval,
        )

    def noise_for(self, target: float, participations: int) -> float:
        """Returns a noise multiplier; see ``noise_search.noise_multiplier``."""
        return noise_search.noise_multiplier(
            target,
            delta=self.delta,
            rate=self.sampling.rate,
            steps=self.steps * participations,
        )

    def steps_of(self, participations: int) -> Steps:
        """Returns the steps of so many visits."""
        rate = alone(self.sampling.rate)
        return Steps(rate, self.effective_noise, self.steps * participations)

    def attack(self, participations: int) -> float:
        """Returns the ε that a thresholded sum proves; see ``attack.epsilon``."""
        return attack.epsilon(
            rate=self.sampling.rate,
            noise_multiplier=self.noise_multiplier,
            steps=self.steps * participations,
            delta=self.delta,
        )

    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""
        amount = f"noise {self.noise_multiplier:.2f} × clip {self.clip:g}"
        return f"{amount}, on the device, up to floating point"

    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens its ledger; a charge is one visit of a device."""
        return self.opening(noise=noise, rate=self.sampling.rate, steps=self.steps)

    @classmethod
    def read(cls, terms: Terms) -> DpSgd:
        """Returns the mechanism that the terms of a ledger describe."""
        return cls(
            sampling=PoissonSampling(rate=terms.rate),
            noise_multiplier=terms.noise_multiplier,
            clip=terms.clip,
            steps=terms.steps,
            delta=terms.delta,
        )


def release(
    total: NDArray[np.floating], *, deviation: float, stream: Stream
) -> NDArray[np.float64]:
    """Returns a sum of clipped gradients with Gaussian noise on every coordinate.

    Args:
        total: [trainable] the sum; zero when no moment was drawn.
        deviation: Standard deviation of the noise: noise multiplier × clip. 0 adds nothing.
        stream: Secret draws of this step.
    """
    released: NDArray[np.float64] = total.astype(np.float64)
    if deviation > 0:
        stream.add_gaussian(released, deviation=deviation)
    return released
