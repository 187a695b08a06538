"""The protection of whole devices that the configuration asks for."""

from typing import TypeVar

from privacy import cohort_gaussian, local_gaussian
from privacy.cohort_gaussian import CohortGaussian
from privacy.cohort_sampling import CappedPoissonSampling
from privacy.local_gaussian import LocalGaussian
from privacy.settings import Device
from server.settings import Server

T = TypeVar("T")
Mechanism = CohortGaussian | LocalGaussian


def mechanism(device: Device, server: Server, *, devices: int) -> Mechanism | None:
    """Returns what protects a device's whole library, or None without it.

    Its noise is the one given, or what ``epsilon`` needs after all rounds or visits.

    Args:
        device: What is asked for.
        server: Rounds and cohort.
        devices: Devices in the population, a public number.

    Raises:
        ValueError: A setting that the mechanism needs is null, or its δ or cap are no good.
    """
    if device.mechanism == "none":
        return None
    delta = _needed("delta", device.delta, device)
    if delta >= 1 / devices:
        raise ValueError(
            f"privacy.device.delta={delta:g} would allow one of the {devices} devices to be "
            f"published whole; use one below {1 / devices:.2g}."
        )
    if device.mechanism == "local":
        return _local(device, delta=delta)
    return _central(device, server, devices=devices, delta=delta)


def _central(device: Device, server: Server, *, devices: int, delta: float) -> CohortGaussian:
    cap = device.largest_cohort
    if cap is not None and cap < server.cohort:
        raise ValueError(
            f"privacy.device.largest_cohort={cap} is below server.cohort={server.cohort:g}; "
            "raise it, or lower server.cohort."
        )
    sampling = CappedPoissonSampling.expecting(server.cohort, devices=devices, cap=cap)
    noise = device.noise_multiplier
    if noise is None:
        noise = cohort_gaussian.least_noise(
            _needed("epsilon", device.epsilon, device),
            sampling=sampling,
            rounds=server.rounds,
            delta=delta,
        )
    clip = _needed("clip", device.clip, device)
    return CohortGaussian(sampling=sampling, noise_multiplier=noise, clip=clip, delta=delta)


def _local(device: Device, *, delta: float) -> LocalGaussian:
    visits = _needed("max_participations", device.max_participations, device)
    noise = device.noise_multiplier
    if noise is None:
        noise = local_gaussian.least_noise(
            _needed("epsilon", device.epsilon, device), participations=visits, delta=delta
        )
    clip = _needed("clip", device.clip, device)
    return LocalGaussian(noise_multiplier=noise, clip=clip, delta=delta)


def _needed(name: str, value: T | None, device: Device) -> T:
    if value is None:
        raise ValueError(
            f"privacy.device.{name} is null but privacy/device={device.mechanism} needs it; "
            "set it."
        )
    return value
