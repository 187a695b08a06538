"""So many steps of one subsampled Gaussian, than which a run is no worse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privacy.accounting import analytic_gaussian, pld, rdp, renyi_conversion
from privacy.sampling.crowds import Crowds

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of a subsampled Gaussian from which all that was released could be made.

    Attributes:
        crowds: What the unit can meet in a step, and its rate there.
        noise: Standard deviation over the sensitivity.
        times: Steps.
        integers: Whether a release is no worse only in its moments of whole orders.
    """

    crowds: Crowds
    noise: float
    times: int
    integers: bool = False

    @property
    def unsampled(self) -> bool:
        """Whether the unit takes part in every step: no credit for a draw."""
        return all(rate == 1 for _, rate in self.crowds)

    def divergences(self, orders: tuple[float, ...] = rdp.ORDERS) -> Floats:
        """Returns [orders] bounds on the Rényi divergence; infinite where none is known.

        Args:
            orders: Rényi orders above 1.
        """
        found = rdp.divergences(self.crowds, self.noise, steps=self.times, orders=orders)
        if not self.integers or not self.times:
            return found
        whole = np.array([float(order).is_integer() for order in orders])
        return np.where(whole, found, math.inf)

    def deltas(self, epsilons: Sequence[float]) -> list[float]:
        """Returns upper bounds on δ at each ε.

        Args:
            epsilons: Not negative.
        """
        if not self.times:
            return [0.0] * len(epsilons)
        if self.integers:
            found = self.divergences(rdp.WHOLE_ORDERS)
            bounds = dict(zip(rdp.WHOLE_ORDERS, found.tolist(), strict=True))
            return [renyi_conversion.delta(bounds, epsilon=one) for one in epsilons]
        if self.unsampled and self.times == 1:
            return [analytic_gaussian.delta(one, noise=self.noise) for one in epsilons]
        return pld.deltas(
            self.crowds,
            noise_multiplier=self.noise,
            steps=self.times,
            epsilons=tuple(epsilons),
        )
