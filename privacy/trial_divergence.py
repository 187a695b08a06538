"""The Rényi divergences of one whole run, for whoever composes runs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from privacy import integer_gaussian, rdp
from privacy.adaptive_gaussian import AdaptiveGaussian
from privacy.banded_gaussian import BandedGaussian
from privacy.cohort_gaussian import CohortGaussian
from privacy.correlated_gaussian import CorrelatedGaussian
from privacy.dpsgd import DpSgd
from privacy.integer_dpsgd import IntegerDpSgd
from privacy.integer_gaussian import IntegerGaussian
from privacy.local_gaussian import DIAMETER, LocalGaussian

Mechanism = (
    DpSgd
    | IntegerDpSgd
    | CohortGaussian
    | IntegerGaussian
    | AdaptiveGaussian
    | CorrelatedGaussian
    | BandedGaussian
    | LocalGaussian
)
Floats = NDArray[np.float64]


def divergences(mechanism: Mechanism, times: int, *, orders: tuple[float, ...]) -> Floats:
    """Returns [orders] bounds on the divergence of a run; infinite where none is known.

    Where a cap cuts, the bound is of the run without it: ``cuts`` says how likely they differ.

    Args:
        mechanism: What runs.
        times: Rounds, or visits of a device.
        orders: Rényi orders above 1.
    """
    match mechanism:
        case DpSgd() | IntegerDpSgd():
            noise = mechanism.accounted.noise_multiplier
            return _sampled(mechanism.sampling.rate, noise, mechanism.steps * times, orders)
        case CohortGaussian() | AdaptiveGaussian():
            return _sampled(mechanism.sampling.rate, mechanism.noise_multiplier, times, orders)
        case BandedGaussian():
            turns = math.ceil(times / mechanism.bands)
            return divergences(mechanism.accounted, turns, orders=orders)
        case IntegerGaussian():
            return _integers(mechanism, times, orders)
        case CorrelatedGaussian():
            reach = mechanism.reach(times) if times else 0.0
            return _unsampled(mechanism.noise_multiplier, reach, orders)
        case LocalGaussian():
            reach = DIAMETER * math.sqrt(times)
            return _unsampled(mechanism.noise_multiplier, reach, orders)


def cuts(mechanism: Mechanism, times: int) -> float:
    """Returns how likely a run differs from that of ``divergences`` because a cap cut."""
    match mechanism:
        case CohortGaussian() | AdaptiveGaussian():
            return times * mechanism.sampling.overflow
        case BandedGaussian():
            return math.ceil(times / mechanism.bands) * mechanism.sampling.overflow
        case _:
            return 0.0


def _sampled(rate: float, noise: float, steps: int, orders: tuple[float, ...]) -> Floats:
    if steps == 0:
        return np.zeros(len(orders))
    if noise == 0:
        return np.full(len(orders), math.inf)
    step = np.array([rdp.step_rdp(rate, noise, order) for order in orders])
    return steps * np.where(np.isnan(step), np.inf, np.maximum(step, 0.0))


def _integers(mechanism: IntegerGaussian, times: int, orders: tuple[float, ...]) -> Floats:
    if times == 0:
        return np.zeros(len(orders))
    if mechanism.noise_multiplier == 0:
        return np.full(len(orders), math.inf)
    return np.array(
        [
            times
            * integer_gaussian.divergence(
                int(order),
                sampling=mechanism.sampling,
                noise_multiplier=mechanism.noise_multiplier,
            )
            if float(order).is_integer()
            else math.inf
            for order in orders
        ]
    )


def _unsampled(noise: float, reach: float, orders: tuple[float, ...]) -> Floats:
    if noise == 0:
        return np.full(len(orders), math.inf if reach else 0.0)
    return np.array(orders) * (reach / noise) ** 2 / 2
