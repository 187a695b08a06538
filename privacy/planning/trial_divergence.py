"""The Rényi divergences of one whole run, for whoever composes runs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from privacy.accounting import rdp
from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.dpsgd import DpSgd
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.mechanisms.unions import Mechanism
from privacy.sampling.crowds import alone, crowds

Floats = NDArray[np.float64]


def divergences(mechanism: Mechanism, times: int, *, orders: tuple[float, ...]) -> Floats:
    """Returns [orders] bounds on the divergence of a run; infinite where none is known.

    Args:
        mechanism: What runs.
        times: Rounds, or visits of a device.
        orders: Rényi orders above 1.
    """
    match mechanism:
        case IntegerDpSgd():
            return divergences(mechanism.accounted, times, orders=orders)
        case DpSgd():
            steps = mechanism.steps * times
            return rdp.divergences(
                alone(mechanism.sampling.rate),
                mechanism.effective_noise,
                steps=steps,
                orders=orders,
            )
        case CohortGaussian() | AdaptiveGaussian():
            return _crowded(mechanism, times, orders)
        case BandedGaussian():
            turns = math.ceil(times / mechanism.bands)
            return divergences(mechanism.accounted, turns, orders=orders)
        case IntegerGaussian():
            found = _crowded(mechanism, times, orders)
            whole = np.array([float(order).is_integer() for order in orders])
            return found if times == 0 else np.where(whole, found, math.inf)
        case CorrelatedGaussian() | LocalGaussian():
            reach = mechanism.reach(times) if times else 0.0
    return _unsampled(mechanism.noise_multiplier, reach, orders)


def _crowded(
    mechanism: CohortGaussian | AdaptiveGaussian | IntegerGaussian,
    times: int,
    orders: tuple[float, ...],
) -> Floats:
    return rdp.divergences(
        crowds(mechanism.sampling), mechanism.noise_multiplier, steps=times, orders=orders
    )


def _unsampled(noise: float, reach: float, orders: tuple[float, ...]) -> Floats:
    if noise < rdp.LEAST_NOISE:
        return np.full(len(orders), math.inf if reach else 0.0)
    return np.array(orders) * (reach / noise) ** 2 / 2
