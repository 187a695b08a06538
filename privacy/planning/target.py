"""What a target allows: of ε, noise, rounds and cohort, each from the others."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from privacy.accounting import root_search
from privacy.accounting.root_search import Range
from privacy.losses import loss_grid, step_losses
from privacy.mechanisms.base.mechanism import Mechanism, Sampled
from privacy.mechanisms.base.unit_settings import within
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.moments.integer_dpsgd import IntegerDpSgd
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.poisson import PoissonSampling
from protocol.settings import MOST_TIMES

LEAST_COHORT = 1.0
"""Devices expected in a round, from which the search for a cohort begins: in a smaller one many
rounds are empty."""

LEAST_RATE = 1e-6
"""Probability of a moment in a step, from which the search for a rate begins: with a smaller
one next to no step of a device has a moment. The refusal names it."""

BEGIN = 1.0
"""The first guess of a search, of rounds, cohort, rate or ε. Below 1 a search for rounds asks
for the grid of no step, which has no width."""

DIGITS = 3
"""Digits of a number in a sentence, of which the last is rounded up."""


def epsilon(mechanism: Mechanism, times: int) -> float:
    """Returns the ε after so many rounds or visits, at most about 0.2% above the reported one.

    Guarantee: it is never below ``mechanism.epsilon(times)``, and quicker found.

    Args:
        mechanism: What is composed.
        times: Rounds of a ``CohortGaussian``, visits of a device otherwise.
    """
    sampled = mechanism.sampled
    if sampled is None:
        return mechanism.epsilon(times)
    if times == 0 or sampled.noise_multiplier == 0:
        return mechanism.epsilon(times)
    _, grid = root_search.coarsest(
        lambda width, _: _quick(sampled, times, width),
        near=BEGIN,
        fine=lambda about: _width(about, sampled, times),
    )
    return sampled.on_grid(times, grid)


def noise_multiplier(target: float, mechanism: Mechanism, *, times: int) -> float:
    """Returns a noise multiplier, within 0.5% of the least, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        mechanism: All but its noise multiplier is taken from it.
        times: Rounds of a ``CohortGaussian``, visits of a device otherwise.

    Raises:
        ValueError: The promise cannot be met; ``NextToNoNoiseError`` where it asks for none.
    """
    return mechanism.noise_for(target, times)


def most_times(target: float, mechanism: Mechanism) -> int:
    """Returns the most rounds or visits whose ε is at most ``target``.

    Guarantee: the ε that is reported keeps the promise, and that of one more is above 0.997
    ``target``: below some hundred rounds it breaks the promise, beyond that some thousandths of
    them may be left out.

    Args:
        target: The promised ε.
        mechanism: What is composed: rounds of a ``CohortGaussian``, visits otherwise.

    Returns:
        The number; 1,000,000 where that many keep the promise.

    Raises:
        ValueError: Not even one does.
    """
    sampled = mechanism.sampled
    if sampled is None:
        found = within(mechanism.epsilon, target, most=MOST_TIMES)
    else:
        found = _most_times(target, sampled)
    if found < 1:
        raise ValueError(_not_even_one(target, mechanism))
    return found


def _most_times(target: float, sampled: Sampled) -> int:
    def of(times: float) -> tuple[Sampled, int]:
        return sampled, int(times)

    bounds = Range(lowest=1, highest=MOST_TIMES, power=0.6, whole=True)
    return int(_boldest(target, of, bounds) or 0)


def largest_cohort(target: float, mechanism: CohortGaussian, *, rounds: int) -> float:
    """Returns an expected cohort, within 0.5% of the largest, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        mechanism: Its noise multiplier, population and δ are kept; the cap is the one that
            ``CappedPoissonSampling.expecting`` gives a cohort.
        rounds: Rounds of the run.

    Raises:
        ValueError: Not even a cohort of one keeps the promise.
    """
    devices = mechanism.sampling.devices

    def of(cohort: float) -> tuple[CohortGaussian, int]:
        sampling = CappedPoissonSampling.expecting(cohort, devices=devices, cap=None)
        return replace(mechanism, sampling=sampling), rounds

    bounds = Range(lowest=LEAST_COHORT, highest=devices, power=1.0)
    found = _boldest(target, of, bounds)
    if found is None:
        raise ValueError(_not_even_few(target, *of(LEAST_COHORT)))
    return found


def largest_rate(target: float, mechanism: DpSgd | IntegerDpSgd, *, visits: int) -> float:
    """Returns a rate of moments, within 0.5% of the largest, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        mechanism: All but its sampling is taken from it.
        visits: Visits of a device.

    Raises:
        ValueError: Not even a rate of one in a million keeps the promise.
    """

    def of(rate: float) -> tuple[DpSgd, int]:
        return replace(mechanism.sampled, sampling=PoissonSampling(rate=rate)), visits

    bounds = Range(lowest=LEAST_RATE, highest=1.0, power=1.0)
    found = _boldest(target, of, bounds)
    if found is None:
        raise ValueError(_not_even_few(target, *of(LEAST_RATE)))
    return found


def _boldest(
    target: float, of: Callable[[float], tuple[Sampled, int]], bounds: Range
) -> float | None:
    """The boldest value of which the mechanism and the times keep the promise."""

    def fine(value: float) -> float:
        mechanism, times = of(value)
        return _width(target, mechanism, times)

    near, grid = root_search.expected(
        lambda value, width: _quick(*of(value), width), target, bounds, near=BEGIN, fine=fine
    )

    def on_grid(value: float) -> float:
        mechanism, times = of(value)
        return mechanism.on_grid(times, grid)

    return root_search.boldest_kept(on_grid, target, bounds, near=near)


def _quick(mechanism: Sampled, times: int, grid: float) -> float:
    """The ε by privacy losses alone, on a grid of that width."""
    steps = mechanism.steps_of(times)
    return step_losses.epsilon(
        steps.crowds,
        noise_multiplier=steps.noise,
        steps=steps.times,
        delta=mechanism.delta,
        interval=grid,
    )


def _width(about: float, mechanism: Sampled, times: int) -> float:
    """A width of the grid that is fine enough for about this ε."""
    return loss_grid.width(about, steps=mechanism.steps_of(times).times, delta=mechanism.delta)


def _not_even_one(target: float, mechanism: Mechanism) -> str:
    return (
        f"privacy.{mechanism.unit}.epsilon={target:g} does not last for one {mechanism.once}, "
        f"which costs {_up(epsilon(mechanism, 1))} at noise multiplier "
        f"{mechanism.noise_multiplier:g}; raise it to that, or the noise multiplier to "
        f"{_up(mechanism.noise_for(target, 1))}."
    )


def _not_even_few(target: float, few: Mechanism, times: int) -> str:
    least = "a cohort of one" if few.unit == "device" else f"a rate of {LEAST_RATE:g}"
    return (
        f"privacy.{few.unit}.epsilon={target:g} is not even met with {least}, which costs "
        f"{_up(epsilon(few, times))} in {times} {few.once}s at noise multiplier "
        f"{few.noise_multiplier:g}; raise it to that, or the noise multiplier to "
        f"{_up(few.noise_for(target, times))}."
    )


def _up(value: float) -> str:
    """A number rounded up in its third digit, so that a search for what it promises ends."""
    if not 0 < value < math.inf:
        return f"{value:g}"
    place = DIGITS - 1 - math.floor(math.log10(value))
    return f"{math.ceil(value * (1 + root_search.MARGIN) * 10**place) / 10**place:.{DIGITS}g}"
