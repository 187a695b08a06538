"""The terms of a visit: what the configuration asks of every device."""

import math
from typing import TypeVar

from privacy.calibration import noise_multiplier
from privacy.dpsgd import DpSgd
from privacy.local_gaussian import LocalGaussian
from privacy.sampling import PoissonSampling
from privacy.settings import Example, Privacy
from protocol.messages import Work
from protocol.settings import Training
from server.unit_device import Mechanism

T = TypeVar("T")


def work(training: Training, privacy: Privacy, *, update: Mechanism | None = None) -> Work:
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
    return Work(
        steps=training.steps,
        rate=training.rate,
        denominator=training.rate * training.reference_size,
        lr=training.lr,
        clip=clip,
        noise_multiplier=noise,
        max_participations=_most_visits(privacy),
        private=chosen is not None or update is not None,
        update_clip=math.inf if update is None else update.clip,
        update_noise=update.noise_multiplier if isinstance(update, LocalGaussian) else 0.0,
    )


def mechanism(training: Training, example: Example) -> DpSgd | None:
    """Returns the mechanism that every visit runs, or None without one.

    Its noise is the one given, or the least whose ε after ``max_participations`` visits is at
    most ``epsilon``.

    Raises:
        ValueError: A setting that the mechanism needs is null.
    """
    if example.mechanism == "none":
        return None
    delta = _needed("delta", example.delta)
    return DpSgd(
        sampling=PoissonSampling(rate=training.rate),
        noise_multiplier=_noise(training, example, delta=delta),
        clip=_needed("clip", example.clip),
        steps=training.steps,
        delta=delta,
    )


def _noise(training: Training, example: Example, *, delta: float) -> float:
    if example.noise_multiplier is not None:
        return example.noise_multiplier
    return noise_multiplier(
        _needed("epsilon", example.epsilon),
        delta=delta,
        rate=training.rate,
        steps=training.steps * _visits(example),
    )


def _most_visits(privacy: Privacy) -> int:
    """The strictest limit of the units, 0 without any."""
    units = (privacy.example, privacy.device)
    return min(
        (unit.max_participations for unit in units if unit.max_participations), default=0
    )


def _visits(example: Example) -> int:
    return _needed("max_participations", example.max_participations)


def _needed(name: str, value: T | None) -> T:
    if value is None:
        raise ValueError(
            f"privacy.example.{name} is null but mechanism=dpsgd needs it; set it."
        )
    return value
