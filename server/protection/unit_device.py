"""The protection of whole devices that the configuration asks for."""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Literal

import numpy as np

from privacy.correlation import toeplitz
from privacy.mechanisms import cohort_gaussian, integer_gaussian, local_gaussian
from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.mechanisms.unions import Central
from privacy.mechanisms.unions import Device as Protecting
from privacy.sampling.capped import CappedPoissonSampling
from privacy.settings import Device
from server.cohort import largest_cohort
from server.protection import correlation
from server.settings import Server

WORTHWHILE = 0.999
CHOICES: tuple[Literal["gaussian", "matrix"], ...] = ("gaussian", "matrix")


@lru_cache(maxsize=64)
def mechanism(device: Device, server: Server, *, devices: int) -> Protecting | None:
    """Returns what protects a device's whole library, or None without it.

    Its noise is the one given, or what ``epsilon`` needs after all rounds or visits.

    Args:
        device: What is asked for.
        server: Rounds and cohort.
        devices: Devices in the population, a public number.

    Raises:
        ValueError: A setting that the mechanism needs is null, its δ or cap are no good, or
            the population cannot rest as it asks.
    """
    if device.mechanism == "none":
        return None
    delta = device.needed("delta")
    if delta >= 1 / devices:
        raise ValueError(
            f"privacy.device.delta={delta:g} would allow one of the {devices} devices to be "
            f"published whole; use one below {1 / devices:.2g}."
        )
    match chosen(device, server, devices=devices):
        case "local":
            return _local(device, delta=delta)
        case "adaptive":
            return _adaptive(device, server, devices=devices)
        case "matrix":
            return correlation.mechanism(device, server, devices=devices)
        case _ if device.numbers == "integers":
            return _integers(device, server, devices=devices)
        case _:
            return _cohort(device, server, devices=devices)


def chosen(device: Device, server: Server, *, devices: int) -> str:
    """Returns the name of the mechanism: of ``auto``, the one that leaves less noise."""
    if device.mechanism != "auto":
        return device.mechanism
    noise = left(device, server, devices=devices)
    plain, correlated = (noise[name] for name in CHOICES)
    return "matrix" if correlated < WORTHWHILE * plain else "gaussian"


@lru_cache(maxsize=64)
def left(device: Device, server: Server, *, devices: int) -> dict[str, float]:
    """Returns what noise each choice of ``auto`` leaves on the sum of all mean updates.

    Root mean squared over the rounds, in clips, on every coordinate; at equal ε.

    Raises:
        ValueError: ``epsilon`` is null: without it no two are at equal ε.
    """
    if device.epsilon is None or device.noise_multiplier is not None:
        raise ValueError(
            "privacy/device=auto compares mechanisms at equal ε: give privacy.device.epsilon "
            "alone, with privacy.device.noise_multiplier=null."
        )
    found: dict[str, float] = {}
    for name in CHOICES:
        one = mechanism(replace(device, mechanism=name), server, devices=devices)
        if isinstance(one, CohortGaussian | CorrelatedGaussian | BandedGaussian):
            found[name] = (
                one.noise_multiplier * _error(one, server.rounds) / _cohort_of(one, server)
            )
    return found


def production(device: Device, mechanism: Protecting | None) -> CohortGaussian | None:
    """Returns the larger federation whose ε is extrapolated from this run's noise, if any.

    Its noise on the mean update is this run's; its own, in clips, is larger as its cohort is.
    """
    if not isinstance(mechanism, CohortGaussian | AdaptiveGaussian):
        return None
    larger = _larger(device)
    if larger is None:
        return None
    own = mechanism.sampling
    scale = larger.rate * larger.devices / (own.rate * own.devices)
    return CohortGaussian(
        sampling=larger,
        noise_multiplier=mechanism.noise_multiplier * scale,
        clip=mechanism.clip,
        delta=_delta_of(larger, mechanism.delta),
    )


def _larger(device: Device) -> CappedPoissonSampling | None:
    """Who takes part in the larger federation that is meant, if any."""
    cohort, population = device.noise_cohort, device.noise_population
    if cohort is None or population is None:
        return None
    return CappedPoissonSampling.expecting(cohort, devices=population, cap=None)


def _delta_of(larger: CappedPoissonSampling, delta: float) -> float:
    return min(delta, 1 / (10 * larger.devices))


def affordable_rounds(device: Device, server: Server, chosen: Protecting | None) -> int:
    """Returns after how many rounds the server stops: before more than ``epsilon`` is spent.

    All of them where it adds no noise, has no ε to keep, or where the noise follows from it.

    Raises:
        ValueError: Not one round is within it.
    """
    fixed = device.epsilon is not None and device.noise_multiplier is not None
    if not isinstance(chosen, Central) or not fixed:
        return server.rounds
    rounds = within(chosen.epsilon, device.needed("epsilon"), most=server.rounds)
    if rounds == 0:
        raise ValueError(
            f"privacy.device.epsilon={device.epsilon:g} is passed by the first round, whose ε "
            f"is {chosen.epsilon(1):.3g}: raise it or privacy.device.noise_multiplier."
        )
    return rounds


def within(epsilon: Callable[[int], float], budget: float, *, most: int) -> int:
    """Returns the largest count from 0 to ``most`` whose ε is at most ``budget``.

    Args:
        epsilon: The ε of so many rounds or visits, which never falls.
        budget: The ε to keep within.
        most: The largest count that is looked at.
    """
    if epsilon(most) <= budget:
        return most
    return bisect_left(range(1, most + 1), True, key=lambda count: epsilon(count) > budget)


def _cohort_of(mechanism: Central, server: Server) -> float:
    """Divides the sum of a round: rested cohorts are of whole devices."""
    whole = isinstance(mechanism, CorrelatedGaussian)
    return math.floor(server.cohort) if whole else server.cohort


def _error(mechanism: Central, rounds: int) -> float:
    """Root mean squared error of the prefix sums at noise of deviation 1."""
    if isinstance(mechanism, CorrelatedGaussian | BandedGaussian):
        return toeplitz.root_error(np.array(mechanism.coefficients), rounds)
    return math.sqrt((rounds + 1) / 2)


def _sampling(device: Device, server: Server, *, devices: int) -> CappedPoissonSampling:
    cap = largest_cohort(device, server)
    return CappedPoissonSampling.expecting(server.cohort, devices=devices, cap=cap)


def _cohort(device: Device, server: Server, *, devices: int) -> CohortGaussian:
    sampling = _sampling(device, server, devices=devices)
    delta = device.needed("delta")
    noise = device.noise_multiplier
    if noise is None:
        noise = _noise(device, server, sampling=sampling, delta=delta)
    return CohortGaussian(
        sampling=sampling, noise_multiplier=noise, clip=device.needed("clip"), delta=delta
    )


def _noise(
    device: Device, server: Server, *, sampling: CappedPoissonSampling, delta: float
) -> float:
    """The least noise for ``epsilon``, here or in the larger federation that is meant."""
    scale = 1.0
    larger = _larger(device)
    if larger is not None:
        scale = server.cohort / (larger.rate * larger.devices)
        sampling, delta = larger, _delta_of(larger, delta)
    target = device.needed("epsilon")
    return scale * cohort_gaussian.least_noise(
        target, sampling=sampling, rounds=server.rounds, delta=delta
    )


def _integers(device: Device, server: Server, *, devices: int) -> IntegerGaussian:
    sampling = _sampling(device, server, devices=devices)
    delta = device.needed("delta")
    noise = device.noise_multiplier
    if noise is None:
        target = device.needed("epsilon")
        noise = integer_gaussian.least_noise(
            target, sampling=sampling, rounds=server.rounds, delta=delta
        )
    return IntegerGaussian(
        sampling=sampling, noise_multiplier=noise, clip=device.needed("clip"), delta=delta
    )


def _adaptive(device: Device, server: Server, *, devices: int) -> AdaptiveGaussian:
    plain = _cohort(device, server, devices=devices)
    return AdaptiveGaussian(
        sampling=plain.sampling,
        noise_multiplier=plain.noise_multiplier,
        clip=plain.clip,
        delta=plain.delta,
        quantile=device.needed("quantile"),
        lr=device.needed("clip_lr"),
        share=device.needed("count_share"),
    )


def _local(device: Device, *, delta: float) -> LocalGaussian:
    visits = int(device.needed("max_participations"))
    noise = device.noise_multiplier
    if noise is None:
        noise = local_gaussian.least_noise(
            device.needed("epsilon"), participations=visits, delta=delta
        )
    return LocalGaussian(noise_multiplier=noise, clip=device.needed("clip"), delta=delta)
