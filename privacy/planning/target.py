"""What a target allows: of ε, noise, rounds and cohort, each from the others."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from privacy.accounting import pld, root_search
from privacy.accounting.root_search import Range
from privacy.losses import loss_grid, step_losses
from privacy.mechanisms import cohort_gaussian, local_gaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.dpsgd import DpSgd
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.unions import Moment
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.crowds import Crowds, alone, crowds
from privacy.sampling.poisson import PoissonSampling

MOST_TIMES = 1_000_000
LEAST_COHORT = 1.0
LEAST_RATE = 1e-6
BEGIN = 1.0
DIGITS = 3
Sampled = DpSgd | CohortGaussian
Mechanism = Moment | CohortGaussian | LocalGaussian


def epsilon(mechanism: Mechanism, times: int) -> float:
    """Returns the ε after so many rounds or visits, about 0.2% above the one told at most.

    Guarantee: it is never below ``mechanism.epsilon(times)``, and quicker found.

    Args:
        mechanism: What is composed.
        times: Rounds of a ``CohortGaussian``, visits of a device otherwise.
    """
    if isinstance(mechanism, LocalGaussian):
        return mechanism.epsilon(times)
    sampled = _accounted(mechanism)
    if times == 0 or sampled.noise_multiplier == 0:
        return mechanism.epsilon(times)
    _, grid = root_search.coarsest(
        lambda width, _: _quick(sampled, times, width),
        near=BEGIN,
        fine=lambda about: loss_grid.width(
            about, steps=_steps(sampled, times), delta=sampled.delta
        ),
    )
    return _on_grid(sampled, times, grid)


def noise_multiplier(target: float, mechanism: Mechanism, *, times: int) -> float:
    """Returns a noise multiplier, within 0.5% of the least, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        mechanism: All but its noise multiplier is taken from it.
        times: Rounds of a ``CohortGaussian``, visits of a device otherwise.

    Raises:
        ValueError: The promise cannot be met; ``NextToNoNoiseError`` where it asks for none.
    """
    match mechanism:
        case DpSgd() | IntegerDpSgd():
            return mechanism.least_noise(
                target,
                delta=mechanism.delta,
                rate=mechanism.sampling.rate,
                steps=mechanism.steps * times,
            )
        case CohortGaussian():
            return cohort_gaussian.least_noise(
                target, sampling=mechanism.sampling, rounds=times, delta=mechanism.delta
            )
    return local_gaussian.least_noise(target, participations=times, delta=mechanism.delta)


def most_times(target: float, mechanism: Mechanism) -> int:
    """Returns the most rounds or visits whose ε is at most ``target``.

    Guarantee: the ε that is told keeps the promise, and that of one more is above 0.997
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
    if isinstance(mechanism, LocalGaussian):
        needed = local_gaussian.least_noise(target, participations=1, delta=mechanism.delta)
        found = min(math.floor((mechanism.noise_multiplier / needed) ** 2), MOST_TIMES)
    else:
        sampled = _accounted(mechanism)
        within = Range(lowest=1, highest=MOST_TIMES, power=0.6, whole=True)
        found = int(_boldest(target, lambda times: (sampled, int(times)), within) or 0)
    if found < 1:
        raise ValueError(_not_even_one(target, mechanism))
    return found


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

    within = Range(lowest=LEAST_COHORT, highest=devices, power=1.0)
    found = _boldest(target, of, within)
    if found is None:
        raise ValueError(_not_even_few(target, *of(LEAST_COHORT)))
    return found


def largest_rate(target: float, mechanism: Moment, *, visits: int) -> float:
    """Returns a rate of moments, within 0.5% of the largest, whose ε is at most ``target``.

    Args:
        target: The promised ε.
        mechanism: All but its sampling is taken from it.
        visits: Visits of a device.

    Raises:
        ValueError: Not even a rate of one in a million keeps the promise.
    """

    def of(rate: float) -> tuple[DpSgd, int]:
        return replace(mechanism.accounted, sampling=PoissonSampling(rate=rate)), visits

    within = Range(lowest=LEAST_RATE, highest=1.0, power=1.0)
    found = _boldest(target, of, within)
    if found is None:
        raise ValueError(_not_even_few(target, *of(LEAST_RATE)))
    return found


def noise_on_mean(mechanism: CohortGaussian) -> float:
    """Returns the deviation of the noise on one coordinate of the mean update.

    It is what quality feels: the noise multiplier times the clip, over the expected cohort.
    """
    return mechanism.noise_multiplier * mechanism.clip / _cohort(mechanism)


def _boldest(
    target: float, of: Callable[[float], tuple[Sampled, int]], within: Range
) -> float | None:
    """The boldest value of which the mechanism and the times keep the promise."""

    def fine(value: float) -> float:
        mechanism, times = of(value)
        return loss_grid.width(target, steps=_steps(mechanism, times), delta=mechanism.delta)

    near, grid = root_search.expected(
        lambda value, width: _quick(*of(value), width), target, within, near=BEGIN, fine=fine
    )
    return root_search.boldest_kept(
        lambda value: _on_grid(*of(value), grid), target, within, near=near
    )


def _quick(mechanism: Sampled, times: int, grid: float) -> float:
    """The ε by privacy losses alone, on a grid of that width."""
    return step_losses.epsilon(
        _crowds(mechanism),
        noise_multiplier=mechanism.effective_noise
        if isinstance(mechanism, DpSgd)
        else mechanism.noise_multiplier,
        steps=_steps(mechanism, times),
        delta=mechanism.delta,
        interval=grid,
    )


def _crowds(mechanism: Sampled) -> Crowds:
    if isinstance(mechanism, CohortGaussian):
        return crowds(mechanism.sampling)
    return alone(mechanism.sampling.rate)


def _on_grid(mechanism: Sampled, times: int, grid: float) -> float:
    """The ε that is told, but on a grid of losses of that width."""
    if isinstance(mechanism, CohortGaussian):
        return pld.capped_epsilon(
            mechanism.sampling,
            noise_multiplier=mechanism.noise_multiplier,
            rounds=times,
            delta=mechanism.delta,
            interval=grid,
        )
    return pld.epsilon(
        rate=mechanism.sampling.rate,
        noise_multiplier=mechanism.effective_noise,
        steps=_steps(mechanism, times),
        delta=mechanism.delta,
        interval=grid,
    )


def _accounted(mechanism: Moment | CohortGaussian) -> Sampled:
    """What loss distributions are of."""
    return mechanism if isinstance(mechanism, CohortGaussian) else mechanism.accounted


def _steps(mechanism: Sampled, times: int) -> int:
    return times if isinstance(mechanism, CohortGaussian) else mechanism.steps * times


def _cohort(mechanism: CohortGaussian) -> float:
    return mechanism.sampling.rate * mechanism.sampling.devices


def _not_even_one(target: float, mechanism: Mechanism) -> str:
    unit, once = _words(mechanism)
    return (
        f"privacy.{unit}.epsilon={target:g} does not last for one {once}, which costs "
        f"{_up(epsilon(mechanism, 1))} at noise multiplier {mechanism.noise_multiplier:g}; "
        f"raise it to that, or the noise multiplier to "
        f"{_up(noise_multiplier(target, mechanism, times=1))}."
    )


def _not_even_few(target: float, few: Sampled, times: int) -> str:
    unit, once = _words(few)
    least = "a cohort of one" if unit == "device" else f"a rate of {LEAST_RATE:g}"
    return (
        f"privacy.{unit}.epsilon={target:g} is not even met with {least}, which costs "
        f"{_up(epsilon(few, times))} in {times} {once}s at noise multiplier "
        f"{few.noise_multiplier:g}; raise it to that, or the noise multiplier to "
        f"{_up(noise_multiplier(target, few, times=times))}."
    )


def _words(mechanism: Mechanism) -> tuple[str, str]:
    """The unit as the settings call it, and what is composed."""
    return {
        DpSgd: ("example", "visit"),
        IntegerDpSgd: ("example", "visit"),
        CohortGaussian: ("device", "round"),
        LocalGaussian: ("device", "visit"),
    }[type(mechanism)]


def _up(value: float) -> str:
    """A number rounded up in its third digit, so that a search for what it promises ends."""
    if not 0 < value < math.inf:
        return f"{value:g}"
    place = DIGITS - 1 - math.floor(math.log10(value))
    return f"{math.ceil(value * (1 + root_search.MARGIN) * 10**place) / 10**place:.{DIGITS}g}"
