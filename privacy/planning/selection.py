"""The best of several trials is one release: what choosing hyper-parameters costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from privacy.accounting import rdp, renyi_conversion
from privacy.planning import trial_count
from privacy.sampling.crowds import alone

if TYPE_CHECKING:
    from privacy.noise import Stream

Distribution = Literal["geometric", "logarithmic", "poisson"]
Floats = NDArray[np.float64]

# The shape η of the truncated negative binomial; its limit without bound is Poisson.
SHAPES: dict[str, float] = {"logarithmic": 0.0, "geometric": 1.0, "poisson": math.inf}
MOST = 10_000.0
"""Expected trials at most. A number is drawn along its probabilities, one by one: of so many
trials 3.2 million of them where it is logarithmic, in 0.3 s."""

LARGEST_SHAPE = 100.0
"""Largest η that may be given. ε grows with it: for 100 trials of 1,000 steps at rate 0.01 and
noise 1, geometric 5.3, Poisson 16.4 and this 43.7."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Trains a random number of times and releases the best trial (Papernot and Steinke 2022).

    Formal guarantee: let one trial satisfy Rényi differential privacy with the divergences that
    ``divergence`` is given, whatever its hyper-parameters. Draw the number of trials by
    ``draw``; give each trial hyper-parameters drawn from a public list independently of all
    others, and fresh noise; release the best trial's model and hyper-parameters, by a score
    that is part of its release, and nothing where the number is 0. What is released is
    (``epsilon``, δ)-differentially private for whoever sees neither the number of trials nor
    the others. The number is a secret draw: where it is fixed, or shown by the time the search
    takes, this bound does not hold and the trials cost their sum.

    By theorem 2 for the truncated negative binomial numbers of ``trial_count``, and by theorem
    6 for Poisson ones.

    Attributes:
        trials: Expected number of trials, from 1 to 10000.
        distribution: That of the number of trials: ``geometric`` (η = 1) suits most;
            ``logarithmic`` (η = 0) is cheapest and the most uneven; ``poisson`` the most even;
            a number is the shape η itself, from 0 to 100.

    Raises:
        ValueError: ``trials`` or the shape is out of its range, or a name is unknown.
    """

    trials: float
    distribution: Distribution | float = "geometric"

    def __post_init__(self) -> None:
        if not 1 <= self.trials <= MOST:
            raise ValueError(
                f"trials={self.trials:g} must be from 1 to {MOST:g}; 1 is one run without a "
                "search."
            )
        known = self.distribution in SHAPES
        if not known and not _is_shape(self.distribution):
            raise ValueError(
                f"distribution={self.distribution!r} must be one of {', '.join(SHAPES)} or a "
                f"shape from 0 to {LARGEST_SHAPE:g}; geometric suits most searches."
            )

    @property
    def shape(self) -> float:
        """The shape η; infinite for Poisson."""
        if isinstance(self.distribution, str):
            return SHAPES[self.distribution]
        return float(self.distribution)

    def draw(self, *, stream: Stream) -> int:
        """Returns the number of trials; 0 is a legal draw of Poisson alone.

        Args:
            stream: A secret draw: the privacy of the selection rests on it.
        """
        return trial_count.draw(stream, trials=self.trials, shape=self.shape)

    def divergence(self, of_trial: Floats, *, orders: tuple[float, ...]) -> Floats:
        """Returns the Rényi divergences of the selection from those of one trial.

        Args:
            of_trial: [orders] divergences of one trial, not negative; infinite where unknown.
            orders: Rényi orders, above 1 and ascending.
        """
        order = np.array(orders)
        extra = (
            self._extra_poisson(of_trial, order)
            if math.isinf(self.shape)
            else self._extra_negative_binomial(of_trial, order)
        )
        found = of_trial + extra + math.log(self.trials) / (order - 1)
        # A divergence grows with its order, so that a higher one bounds a lower.
        least: Floats = np.minimum.accumulate(found[::-1])[::-1]
        return least

    def _extra_negative_binomial(self, of_trial: Floats, order: Floats) -> float:
        """Theorem 2's term of the second order, minimised over all orders from 1 on."""
        wait = -math.log(trial_count.halting(self.trials, shape=self.shape))
        terms = (1 - 1 / order) * of_trial + wait / order
        return (1 + self.shape) * min(wait, float(terms.min()))

    def _extra_poisson(self, of_trial: Floats, order: Floats) -> Floats:
        """Theorem 6: the expected number times the δ of a trial at the ε of each order."""
        bounds = dict(zip(order.tolist(), of_trial.tolist(), strict=True))
        found = [
            renyi_conversion.delta(bounds, epsilon=math.log1p(1 / (one - 1))) for one in order
        ]
        return self.trials * np.array(found)

    def epsilon(
        self,
        *,
        rate: float,
        noise_multiplier: float,
        steps: int,
        delta: float,
        orders: tuple[float, ...] = rdp.ORDERS,
    ) -> float:
        """Returns the ε of the best of so many trials of DP-SGD.

        Args:
            rate: Probability of an example in a step.
            noise_multiplier: Standard deviation over what one example moves; 0 gives infinity.
            steps: Steps of one trial; 0 gives 0.
            delta: The δ of the guarantee.
            orders: Rényi orders to minimise over.
        """
        if steps == 0 or rate == 0:
            return 0.0
        if noise_multiplier == 0:
            return math.inf
        of_trial = rdp.divergences(alone(rate), noise_multiplier, steps=steps, orders=orders)
        divergence = self.divergence(of_trial, orders=orders)
        bounds = dict(zip(orders, divergence.tolist(), strict=True))
        return renyi_conversion.epsilon(bounds, delta=delta)


def _is_shape(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value <= LARGEST_SHAPE
    )
