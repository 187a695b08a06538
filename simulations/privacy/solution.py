"""One number solved from the others: rounds, cohort, noise or ε of a run that is planned."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from privacy.mechanisms.base.mechanism import Mechanism
from privacy.mechanisms.base.unit_settings import DeviceSettings, UnitSettings
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.independent.larger_federation import LargerFederation
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.moments.integer_dpsgd import IntegerDpSgd
from privacy.planning import target
from simulations.configuration.settings import Config
from simulations.privacy.plan import Plan, said
from simulations.privacy.question import Asked, Unit

DIGITS = 4
"""Digits of a number in a sentence. It is rounded to the side that keeps the promise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of the number asked for: the protection, and how often it is applied.

    Attributes:
        unit: What is protected.
        mechanism: How; its noise multiplier counts only where ``noise`` is not None.
        times: Rounds, or visits of a device.
        epsilon: The promised ε; None where it is not given.
        noise: The noise multiplier; None where it is not given.
    """

    unit: Unit
    mechanism: Mechanism
    times: int
    epsilon: float | None
    noise: float | None

    @classmethod
    def of(
        cls,
        config: Config,
        *,
        unit: Unit | None = None,
        epsilon: float | None = None,
        noise: float | None = None,
    ) -> Known:
        """Returns what a configuration says, and what is typed beside it, which goes first.

        Args:
            config: The run.
            unit: What is protected; None for the device where the run protects it, else the
                example.
            epsilon: The promised ε.
            noise: The noise multiplier.

        Raises:
            ValueError: Same as ``Plan.of``.
        """
        usual = Unit.DEVICE if _protected(config, Unit.DEVICE) else Unit.EXAMPLE
        chosen = unit or usual
        settings = _settings(config, chosen)
        if _unsolved(config, chosen):
            raise ValueError(
                f"--solve knows no such privacy/{chosen}={settings.mechanism}, only DP-SGD, "
                "independent float64 noise on the run's own cohorts and local noise: read the "
                "table, or ask for another --unit or mechanism."
            )
        plan = Plan.of(config)
        mechanism, times = _applied(plan, chosen, settings=settings)
        known = noise if noise is not None else said(settings, "noise_multiplier", None)
        return cls(
            unit=chosen,
            mechanism=mechanism if known is None else mechanism.variant(noise_multiplier=known),
            times=times,
            epsilon=epsilon if epsilon is not None else said(settings, "epsilon", None),
            noise=known,
        )


def solved(asked: Asked, known: Known) -> float:
    """Returns the number asked for.

    Raises:
        ValueError: What it follows from is not given, or no such number keeps the promise: one
            sentence that says what would.
    """
    match asked:
        case Asked.NOISE:
            return known.mechanism.noise_for(_given("epsilon", known), known.times)
        case Asked.EPSILON:
            _given("noise", known)
            return target.epsilon(known.mechanism, known.times)
        case Asked.ROUNDS:
            _given("noise", known)
            return target.most_times(_given("epsilon", known), known.mechanism)
        case Asked.COHORT:
            _given("noise", known)
            return _cohort(_given("epsilon", known), known)


def sentence(asked: Asked, value: float, known: Known) -> str:
    """Returns the number in words that need no other page, rounded to the safe side."""
    times = f"{known.times} {_composed(known)}"
    noise = f"noise multiplier {known.mechanism.noise_multiplier:g}"
    delta = f"δ = {known.mechanism.delta:.2g}"
    promise = f"ε ≤ {known.epsilon or 0:g} at {delta}"
    match asked:
        case Asked.NOISE:
            return f"{promise} after {times} needs noise multiplier {_up(value)}."
        case Asked.EPSILON:
            return f"{noise} gives ε ≤ {_up(value)} at {delta} after {times}."
        case Asked.ROUNDS:
            return f"{noise} keeps {promise} for {value:g} {_composed(known)}."
        case Asked.COHORT:
            return f"{noise} keeps {promise} after {times} with {_few(known)} {_down(value)}."


def remarks(config: Config) -> list[str]:
    """Returns for each protected unit what its target would allow with more noise.

    Raises:
        ValueError: Same as ``Plan.of``.
    """
    units = [unit for unit in Unit if _protected(config, unit) and not _unsolved(config, unit)]
    return [line for unit in units for line in _allowed(Known.of(config, unit=unit))]


def _allowed(known: Known) -> list[str]:
    if known.epsilon is None:
        return [sentence(Asked.EPSILON, solved(Asked.EPSILON, known), known)]
    least = solved(Asked.NOISE, known)
    twice = replace(known, mechanism=_with_noise(known.mechanism, 2 * least))
    rounds = target.most_times(known.epsilon, twice.mechanism)
    advice = f"twice that noise would last for {rounds} {_composed(known)}"
    if known.mechanism.sampled is not None:
        advice += f", or allow {_few(known)} {_down(_cohort(known.epsilon, twice))}"
    return [sentence(Asked.NOISE, least, known), f"  {advice}."]


def _with_noise(mechanism: Mechanism, noise: float) -> Mechanism:
    """The mechanism at another noise; that of integers in real numbers, which have no end."""
    plain = mechanism.sampled
    return (plain if isinstance(plain, Mechanism) else mechanism).variant(
        noise_multiplier=noise
    )


def _applied(plan: Plan, unit: Unit, *, settings: UnitSettings) -> tuple[Mechanism, int]:
    if unit is Unit.EXAMPLE:
        return plan.example, plan.example_visits
    on_devices = settings.protects and not _at_server(settings)
    return (plan.local, plan.device_visits) if on_devices else (plan.gaussian, plan.run.rounds)


def _at_server(settings: UnitSettings) -> bool:
    return isinstance(settings, DeviceSettings) and settings.at_server


def _unsolved(config: Config, unit: Unit) -> bool:
    """Whether a unit is protected by another mechanism than those that a plan has."""
    settings = _settings(config, unit)
    if not _at_server(settings):
        planned = DpSgd if unit is Unit.EXAMPLE else LocalGaussian
        return settings.protects and planned not in settings.makes
    own = isinstance(settings, LargerFederation) and settings.noise_cohort is None
    return not (own and said(settings, "numbers", "float64") == "float64")


def _settings(config: Config, unit: Unit) -> UnitSettings:
    return config.privacy.example if unit is Unit.EXAMPLE else config.privacy.device


def _protected(config: Config, unit: Unit) -> bool:
    return _settings(config, unit).protects


def _given(name: Literal["epsilon", "noise"], known: Known) -> float:
    value = known.epsilon if name == "epsilon" else known.noise
    if value is None:
        setting = "epsilon" if name == "epsilon" else "noise_multiplier"
        raise ValueError(
            f"privacy.{known.unit}.{setting} is null and this follows from it; add --{name}."
        )
    return value


def _cohort(epsilon: float, known: Known) -> float:
    match known.mechanism:
        case DpSgd() | IntegerDpSgd() as moment:
            return target.largest_rate(epsilon, moment, visits=known.times)
        case CohortGaussian() as cohort:
            return target.largest_cohort(epsilon, cohort, rounds=known.times)
    raise ValueError(
        "with privacy/device=local a device's ε does not depend on the cohort; ask for rounds."
    )


def _composed(known: Known) -> str:
    return f"{known.mechanism.once}s"


def _few(known: Known) -> str:
    return "training.rate up to" if known.unit is Unit.EXAMPLE else "a cohort up to"


def _up(value: float) -> str:
    return _rounded(value, math.ceil)


def _down(value: float) -> str:
    return _rounded(value, math.floor)


def _rounded(value: float, to_whole: Callable[[float], int]) -> str:
    """A number of four digits."""
    if not 0 < value < math.inf:
        return f"{value:g}"
    unit = 10.0 ** (math.floor(math.log10(value)) - DIGITS + 1)
    return f"{to_whole(value / unit) * unit:.{DIGITS}g}"
