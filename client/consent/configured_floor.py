"""The floor of a run: what its configuration promises, and what the operator demands."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from client.consent.floor import Floor
from client.consent.operator import Demands
from client.consent.parameter_bounds import ParameterBounds, parameter_bounds
from client.sections import Sections, read_sections
from privacy.mechanisms.base.mechanism import Mechanism
from privacy.mechanisms.base.unit_settings import Federation, Protected, UnitSettings, within

LEEWAY = 1e-9
"""Two machines may derive the same noise with other last digits."""

LARGEST_DELTA = 1e-5
"""The δ of an operator's ε is at most this, whatever the configuration says."""

ANY_POPULATION = 1
"""Devices of a population of unknown size: δ is then checked against no number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What the configuration promises for a unit that the device itself protects.

    Attributes:
        mechanism: What runs at least.
        visits: Visits at most: those that are asked for, or that are within the budget.
    """

    mechanism: Mechanism
    visits: int


@lru_cache(maxsize=64)
def promises(text: str) -> Mapping[str, Promise]:
    """Returns what a configuration promises for each unit that the device itself protects.

    Args:
        text: The whole configuration in JSON.

    Raises:
        SettingError: Same as ``read_sections``.
        ValueError: A promise cannot be met.
    """
    sections = read_sections(text)
    privacy, server = sections.privacy, sections.server
    devices = sections.photos.devices or ANY_POPULATION
    run = Federation(devices=devices, rounds=server.rounds, cohort=server.cohort)
    own: dict[str, tuple[UnitSettings, Protected | None]] = {
        "example": (privacy.example, privacy.example.protected(sections.training))
    }
    if not privacy.device.at_server:
        own["device"] = (privacy.device, privacy.device.protected(run))
    return {
        unit: _promise(settings, found)
        for unit, (settings, found) in own.items()
        if found is not None
    }


def _promise(settings: UnitSettings, found: Protected) -> Promise:
    """With a leeway where the noise follows from ε."""
    mechanism = found.mechanism
    if settings.derives_noise:
        noise = mechanism.noise_multiplier * (1 - LEEWAY)
        mechanism = mechanism.variant(noise_multiplier=noise)
    return Promise(mechanism=mechanism, visits=found.times)


@lru_cache(maxsize=64)
def floor(text: str, demands: Demands) -> Floor:
    """Returns the floor under every task of a run.

    It is what the configuration promises, no less and no more, and then what the operator
    demands. Visits are counted as visits at the configured terms, so the promise holds also
    where the demands change between them. Where the demands ask for noise of the device's own
    and the configuration has none, or none that is secret, no task is good enough.

    Args:
        text: The whole configuration in JSON.
        demands: The operator's.

    Raises:
        SettingError: Same as ``read_sections``.
        ValueError: A promise cannot be met.
    """
    sections = read_sections(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    own = promises(text)
    example, update = own.get("example"), own.get("device")
    device = sections.privacy.device.protects
    least, most = demands.min_noise or 0.0, demands.max_clip or math.inf
    clip, update_clip = _clip(example), _clip(update)
    return Floor(
        configuration=digest,
        consented=demands.config_digest in (None, digest),
        private=sections.private or demands.protection,
        rate=sections.training.rate,
        steps=sections.training.steps,
        noise_multiplier=max(_noise(example), least if example else 0.0),
        clip=min(clip, most) if example or not device else clip,
        update_noise=max(_noise(update), least if update else 0.0),
        update_clip=min(update_clip, most) if device else update_clip,
        visits=_visits(sections, list(own.values()), demands),
        integers=example is not None and example.mechanism.integers,
        bounds=_bounds(sections, example, update),
    )


def _bounds(
    sections: Sections, example: Promise | None, update: Promise | None
) -> ParameterBounds | None:
    """Bounds on the parameters, where the run is private."""
    if not sections.private:
        return None
    return parameter_bounds(
        sections, noise_multiplier=_noise(example), update_noise=_noise(update)
    )


def _clip(promise: Promise | None) -> float:
    return promise.mechanism.clip if promise else math.inf


def _noise(promise: Promise | None) -> float:
    return promise.mechanism.noise_multiplier if promise else 0.0


def _visits(sections: Sections, promises: list[Promise], demands: Demands) -> int | None:
    """The strictest limit, None without any; 0 where the demands cannot be met."""
    secret = sections.privacy.noise == "secure"
    if (demands.noise and not promises) or (demands.protection and not secret):
        return 0
    limits = [limit for promise in promises for limit in _limits(promise, demands)]
    if demands.max_exposure is not None:
        of_visit = sections.training.rate * sections.training.steps
        limits.append(math.floor(demands.max_exposure / of_visit * (1 + LEEWAY)))
    return min(limits, default=None)


def _limits(promise: Promise, demands: Demands) -> Iterator[int]:
    """How often the device may take part, for each reason."""
    yield promise.visits
    if demands.max_epsilon is not None and promise.visits:
        mechanism = promise.mechanism
        strict = mechanism.variant(delta=min(mechanism.delta, LARGEST_DELTA))
        yield within(strict.epsilon, demands.max_epsilon, most=promise.visits)
