"""DP-SGD on one device in integers: a moment's ε without floating point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from privacy.accounting import rdp
from privacy.accounting.steps import Steps
from privacy.integers.grid import STEPS, IntegerGrid
from privacy.mechanisms.base.limits import MOST_INTEGER_NOISE
from privacy.mechanisms.base.mechanism import MomentMechanism, whole
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.sampling.poisson import PoissonSampling

if TYPE_CHECKING:
    from privacy.ledger.records import Noise, Terms

SMOOTHING = 3
"""Steps of the rounding that makes discrete noise from continuous: what it gets wrong is
e^-177 of a probability, and costs 10^-8 of the noise. At 1 step the former would be e^-19."""

GRID = "steps in a clip"

ROUND_UP = 1 + 1e-12
"""For the last digits of two roots, without which the noise could fall one short."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerDpSgd(MomentMechanism):
    """The steps of a visit in integers, for the unit *example*.

    Formal guarantee: let two libraries differ by one moment. A device that took part k times,
    each visit ``steps`` steps of ``sampling`` with secret coins, each step one
    ``integer_release``, with ``deviation``, of the sum of ``grid.integers_of_rows``, has shown
    something (``epsilon(k)``, ``delta``)-differentially private to whoever saw all of it and
    chose what every step starts from. It takes no credit for the draw of cohorts nor for what
    other devices add. Clip, noise and sum are integers, so this is no claim "up to floating
    point", but for the last digits of ε itself and of a coin's probability, and for tails of
    the noise below 10^-220. How long a draw takes depends on the noise: time is not covered.

    Why: let u be the integers of the other moments drawn, v those of the moment, |v| ≤
    ``grid_steps``, and s = ``deviation``. A step shows u or, with the probability of the coin,
    u + v, with discrete Gaussian noise of s. Two bounds hold for it, of which ``epsilon`` is
    the lesser; both compose adaptively.

    * By rounding. With t = 3 and σ² = s² - t², add continuous noise of σ to u (or u + v), which
      gives y, and round each coordinate of y to a whole x with probability in proportion to
      exp(-(x - y)²/2t²). Poisson's sum has these add up to t√2π within 2e^(-2π²t²), wherever y
      is, so x has the probability of the discrete Gaussian around u (or u + v) within that
      factor (Peikert 2010, theorem 3.1). So what a step shows is made, without a look at the
      data, from a step of DP-SGD with noise σ, which is ``sampled``. The factors of 10^25
      draws move ε and δ by less than 10^-50.
    * By divergences. k|v| steps are whole, so the moments of the likelihood ratio at whole
      orders are those of the continuous Gaussian (Canonne, Kamath and Steinke 2020), under a
      coin those of ``rdp.step_rdp``, and x → v - x exchanges the directions (Mironov, Talwar
      and Zhang 2019, theorem 5): see ``IntegerGaussian``.

    Either bound holds too where some steps have more noise, a smaller clip or a smaller rate.

    Attributes:
        sampling: The coins of the moments.
        noise_multiplier: Parameter of the noise over ``clip``, before it is rounded up.
        clip: Largest norm of one moment's gradient.
        steps: Steps of one visit.
        delta: The δ of the guarantee.
        grid_steps: Steps of the grid in one clip.
    """

    sampler = "poisson, integers"
    integers = True
    sampling: PoissonSampling
    noise_multiplier: float
    clip: float
    steps: int
    delta: float
    grid_steps: int = STEPS

    def __post_init__(self) -> None:
        # refuses a clip, steps or noise that it cannot run
        self.grid.deviation(self.noise_multiplier)

    @property
    def grid(self) -> IntegerGrid:
        """What gradients are rounded to."""
        return IntegerGrid(clip=self.clip, steps=self.grid_steps)

    @property
    def deviation(self) -> int:
        """The parameter of the noise in steps, rounded up to a whole one."""
        return self.grid.deviation(self.noise_multiplier)

    @property
    def sampled(self) -> DpSgd:
        """DP-SGD in real numbers from which all that this shows could be made."""
        left = max(0, self.deviation**2 - SMOOTHING**2)
        return DpSgd(
            sampling=self.sampling,
            noise_multiplier=math.sqrt(left) / self.grid_steps,
            clip=self.clip,
            steps=self.steps,
            delta=self.delta,
        )

    def epsilon(self, participations: int) -> float:
        """Returns the ε of a device after so many visits: the lesser of both bounds."""
        by_rounding = self.sampled.epsilon(participations)
        return min(by_rounding, self.epsilon_rdp(participations))

    def epsilon_rdp(self, participations: int) -> float:
        """Returns the bound by divergences at whole orders, which knows no rounding."""
        return rdp.epsilon(
            rate=self.sampling.rate,
            noise_multiplier=self.deviation / self.grid_steps,
            steps=self.steps * participations,
            delta=self.delta,
            orders=rdp.WHOLE_ORDERS,
        )

    def noise_for(self, target: float, participations: int) -> float:
        """Returns a noise multiplier, within 0.5% of the least, whose ε is at most ``target``.

        It is the one of ``sampled`` and what the rounding takes from it, at the usual grid.

        Args:
            target: The promised ε.
            participations: Visits of a device.

        Raises:
            ValueError: The promise cannot be met or needs more noise than there is;
                ``NextToNoNoiseError`` where it asks for none.
        """
        found = self.sampled.noise_for(target, participations)
        noise = math.hypot(found, SMOOTHING / STEPS) * ROUND_UP
        if noise > MOST_INTEGER_NOISE:
            raise ValueError(
                f"privacy.example.epsilon={target:g} needs a noise of {noise:.4g} clips, and "
                f"privacy.example.numbers=integers has {MOST_INTEGER_NOISE} at most; raise it, "
                "or use float64."
            )
        return noise

    def steps_of(self, participations: int) -> Steps:
        """Returns the steps of ``sampled``, from which all of it is made."""
        return self.sampled.steps_of(participations)

    def in_words(self) -> str:
        """Returns how much noise is added and where, for the card."""
        amount = f"noise {self.noise_multiplier:.2f} × clip {self.clip:g}"
        return f"integer {amount}, on the device, proven of what runs"

    def terms(self, *, noise: Noise) -> Terms:
        """Returns what opens its ledger; a charge is one visit of a device."""
        return self.opening(
            noise=noise,
            rate=self.sampling.rate,
            steps=self.steps,
            public={GRID: self.grid_steps},
        )

    @classmethod
    def read(cls, terms: Terms) -> IntegerDpSgd:
        """Returns the mechanism that the terms of a ledger describe.

        Raises:
            ValueError: They lack the steps of the grid.
        """
        return cls(
            sampling=PoissonSampling(rate=terms.rate),
            noise_multiplier=terms.noise_multiplier,
            clip=terms.clip,
            steps=terms.steps,
            delta=terms.delta,
            grid_steps=whole(terms, GRID),
        )
