"""Correlated noise as the configuration asks for it: the strategy, and who may take part."""

import math

import numpy as np

from privacy.correlation import toeplitz
from privacy.correlation.noise import CorrelatedNoise
from privacy.correlation.separation import largest_participations
from privacy.correlation.strategy import MatrixStrategy, matrix_strategy
from privacy.mechanisms import cohort_gaussian, separated_gaussian
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.sampling.capped import CappedPoissonSampling
from privacy.settings import Device
from server.cohort import largest_cohort
from server.settings import Server

Correlated = CorrelatedGaussian | BandedGaussian


def mechanism(device: Device, server: Server, *, devices: int) -> Correlated:
    """Returns the mechanism of ``privacy/device=matrix``.

    Raises:
        ValueError: A setting is null, or the population cannot rest as it asks.
    """
    most = _most_apart(device, server, devices=devices)
    if device.participation == "bands":
        return _least_banded(device, server, devices=devices, most=most)
    return _separated(device, server, separation=device.separation or most)


def noise(device: Device, chosen: Correlated, *, rounds: int, size: int) -> CorrelatedNoise:
    """Returns the noise of a run of ``chosen``, before its first round.

    Args:
        device: What is asked for.
        chosen: What ``mechanism`` made of it.
        rounds: Rounds of the run.
        size: Coordinates of an update.
    """
    apart = chosen.bands if isinstance(chosen, BandedGaussian) else chosen.separation
    strategy = _strategy(device, rounds=rounds, separation=apart)
    return CorrelatedNoise(strategy.recurrence, size=size)


def _most_apart(device: Device, server: Server, *, devices: int) -> int:
    """The longest rest that leaves a whole cohort rested, and checks the one that is asked."""
    cohort = math.floor(server.cohort)
    if cohort < 1:
        raise ValueError(
            f"server.cohort={server.cohort:g} is no device in a round; raise it to 1 or more."
        )
    most = min(devices // cohort, server.rounds)
    if device.separation is not None and device.separation > most:
        raise ValueError(
            f"privacy.device.separation={device.separation} needs that many rounds, and that "
            f"many cohorts of {cohort} that take turns; {server.rounds} rounds of {devices} "
            f"devices give {most}: use at most that, or lower server.cohort."
        )
    return most


def _strategy(device: Device, *, rounds: int, separation: int) -> MatrixStrategy:
    return matrix_strategy(
        device.strategy or "banded",
        rounds,
        separation=separation,
        participations=largest_participations(rounds, separation),
        buffers=device.buffers or 1,
    )


def _separated(device: Device, server: Server, *, separation: int) -> CorrelatedGaussian:
    coefficients = _strategy(device, rounds=server.rounds, separation=separation).coefficients
    participations = largest_participations(server.rounds, separation)
    reach = toeplitz.sensitivity(
        np.array(coefficients),
        server.rounds,
        separation=separation,
        participations=participations,
    )
    delta = device.needed("delta")
    if device.noise_multiplier is None:
        target = device.needed("epsilon")
        total = separated_gaussian.least_noise(target, sensitivity=reach, delta=delta)
    else:
        total = device.noise_multiplier * reach
    return CorrelatedGaussian(
        noise_multiplier=total,
        coefficients=coefficients,
        rounds=server.rounds,
        separation=separation,
        participations=participations,
        clip=device.needed("clip"),
        delta=delta,
    )


def _least_banded(device: Device, server: Server, *, devices: int, most: int) -> BandedGaussian:
    """Of 1, 2, 4, … bands, or those that are asked for, what leaves least noise."""
    if device.strategy == "buffered":
        raise ValueError(
            "privacy.device.strategy=buffered has no end to its columns, which "
            "privacy.device.participation=bands needs; use banded, sqrt or separated."
        )
    numbers = [2**power for power in range(most.bit_length())]
    tried = [
        _banded(device, server, devices=devices, bands=bands)
        for bands in ([device.separation] if device.separation else numbers)
    ]
    return min(tried, key=lambda one: _error(one, rounds=server.rounds))


def _banded(device: Device, server: Server, *, devices: int, bands: int) -> BandedGaussian:
    cap = largest_cohort(device, server)
    coefficients = _strategy(device, rounds=server.rounds, separation=bands).coefficients
    in_band = -(-devices // bands)
    sampling = CappedPoissonSampling.expecting(
        min(server.cohort, in_band), devices=in_band, cap=cap
    )
    delta = device.needed("delta")
    noise = device.noise_multiplier
    if noise is None:
        noise = cohort_gaussian.least_noise(
            device.needed("epsilon"),
            sampling=sampling,
            rounds=-(-server.rounds // bands),
            delta=delta,
        )
    return BandedGaussian(
        sampling=sampling,
        bands=bands,
        coefficients=coefficients,
        noise_multiplier=noise * float(np.linalg.norm(coefficients)),
        clip=device.needed("clip"),
        delta=delta,
    )


def _error(chosen: BandedGaussian, *, rounds: int) -> float:
    return chosen.noise_multiplier * toeplitz.root_error(np.array(chosen.coefficients), rounds)
