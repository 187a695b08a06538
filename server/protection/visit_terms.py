"""The terms of a visit: what the configuration asks of every device."""

import math
from typing import TypeVar

from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.unions import OF_NUMBERS, Moment
from privacy.mechanisms.unions import Device as Protecting
from privacy.sampling.poisson import PoissonSampling
from privacy.settings import Device, Example, Privacy
from protocol.messages import Work
from protocol.settings import Training
from server.protection.unit_device import within

T = TypeVar("T")


def work(training: Training, privacy: Privacy, *, update: Protecting | None = None) -> Work:
    """Returns the terms: a function of public settings, the same for every device.

    Args:
        training: Local training.
        privacy: What is protected.
        update: Protects whole devices, or None.

    Raises:
        ValueError: A setting that the mechanism needs is null.
    """
    chosen = mechanism(training, privacy.example)
    if chosen is None:
        clip, noise = math.inf, 0.0
    else:
        clip, noise = chosen.clip, chosen.noise_multiplier
    local = update if isinstance(update, LocalGaussian) else None
    visits = [
        affordable_visits(privacy.example, chosen),
        affordable_visits(privacy.device, local),
    ]
    return Work(
        steps=training.steps,
        rate=training.rate,
        denominator=training.rate * training.reference_size,
        lr=training.lr,
        clip=clip,
        noise_multiplier=noise,
        max_participations=min((most for most in visits if most is not None), default=0),
        private=chosen is not None or update is not None,
        update_clip=_update_clip(privacy.device, update),
        update_noise=0.0 if local is None else local.noise_multiplier,
        integers=isinstance(chosen, IntegerDpSgd),
    )


def mechanism(training: Training, example: Example) -> Moment | None:
    """Returns the mechanism that every visit runs, or None without one.

    Its noise is the one given, or the least whose ε after ``max_participations`` visits is at
    most ``epsilon``.

    Raises:
        ValueError: A setting that the mechanism needs is null, or a promise cannot be met.
    """
    if example.mechanism == "none":
        return None
    delta = _needed("delta", example.delta)
    kind = OF_NUMBERS[_needed("numbers", example.numbers)]
    return kind(
        sampling=PoissonSampling(rate=training.rate),
        noise_multiplier=_noise(training, example, delta=delta),
        clip=_needed("clip", example.clip),
        steps=training.steps,
        delta=delta,
    )


def _noise(training: Training, example: Example, *, delta: float) -> float:
    if example.noise_multiplier is not None:
        return example.noise_multiplier
    kind = OF_NUMBERS[_needed("numbers", example.numbers)]
    return kind.least_noise(
        _needed("epsilon", example.epsilon),
        delta=delta,
        rate=training.rate,
        steps=training.steps * _visits(example),
    )


def affordable_visits(
    unit: Example | Device, chosen: Moment | LocalGaussian | None
) -> int | None:
    """Returns after how many visits a device declines; None where visits cost it nothing.

    ``max_participations``, or fewer where noise and ε are both given and ε is spent before.

    Raises:
        ValueError: Not one visit is within ε.
    """
    most = unit.max_participations
    fixed = unit.epsilon is not None and unit.noise_multiplier is not None
    if chosen is None or most is None or not fixed or unit.epsilon is None:
        return most
    visits = within(chosen.epsilon, unit.epsilon, most=most)
    if visits == 0:
        name = "example" if isinstance(unit, Example) else "device"
        raise ValueError(
            f"privacy.{name}.epsilon={unit.epsilon:g} is passed by the first visit, whose ε is "
            f"{chosen.epsilon(1):.3g}: raise it or privacy.{name}.noise_multiplier."
        )
    return visits


def _update_clip(device: Device, update: Protecting | None) -> float:
    """What devices clip to: where the server's clip moves or is of layers, only it clips."""
    if update is None or isinstance(update, AdaptiveGaussian) or device.clipping == "layers":
        return math.inf
    return update.clip


def _visits(example: Example) -> int:
    return _needed("max_participations", example.max_participations)


def _needed(name: str, value: T | None) -> T:
    if value is None:
        raise ValueError(
            f"privacy.example.{name} is null but mechanism=dpsgd needs it; set it."
        )
    return value
