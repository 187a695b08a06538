"""The floor of a run: what its configuration promises, and what the operator demands."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from client.consent.floor import Floor
from client.consent.operator import OperatorPolicy
from client.consent.parameter_bounds import ParameterBounds, parameter_bounds
from client.sections import DeviceSections, read_sections
from privacy.mechanisms.base.unit_settings import Federation, Protected, UnitSettings, within

LEEWAY = 1e-9
"""Two machines may derive the same noise with other last digits."""

LARGEST_DELTA = 1e-5
"""The δ of an operator's ε is at most this, whatever the configuration says."""

ANY_POPULATION = 1
"""Devices of a population of unknown size: δ is then checked against no number."""


@lru_cache(maxsize=64)
def own_protection(text: str) -> Mapping[str, Protected]:
    """Returns what runs at least, for each unit that the device itself protects.

    Its ``times`` are visits at most: those that are asked for, or that are within the budget.

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
        unit: _with_leeway(found) if settings.derives_noise else found
        for unit, (settings, found) in own.items()
        if found is not None
    }


def _with_leeway(found: Protected) -> Protected:
    noise = found.mechanism.noise_multiplier * (1 - LEEWAY)
    return replace(found, mechanism=found.mechanism.variant(noise_multiplier=noise))


def configuration_digest(text: str) -> str:
    """Returns the hexadecimal SHA-256 of the whole configuration in JSON."""
    return hashlib.sha256(text.encode()).hexdigest()


def agrees(text: str, policy: OperatorPolicy, *, before: str) -> bool:
    """Says whether the device may train under ``text``, before anything is derived from it.

    It is what the floor's own ``agrees`` says, without a floor.

    Args:
        text: The whole configuration in JSON.
        policy: The operator's.
        before: Digest of the configuration of the device's earlier visits; "" without any.
    """
    digest = configuration_digest(text)
    return policy.config_digest in (None, digest) and before in ("", digest)


@lru_cache(maxsize=64)
def floor(text: str, policy: OperatorPolicy) -> Floor:
    """Returns the floor under every task of a run.

    It is what the configuration promises, no less and no more, and then what the operator
    demands. Visits are counted as visits at the configured terms, so the promise holds also
    where the policy changes between them. Where the policy asks for noise of the device's own
    and the configuration has none, or none that is secret, no task is good enough.

    Args:
        text: The whole configuration in JSON.
        policy: The operator's.

    Raises:
        SettingError: Same as ``read_sections``.
        ValueError: A promise cannot be met.
    """
    sections = read_sections(text)
    digest = configuration_digest(text)
    own = own_protection(text)
    example, update = own.get("example"), own.get("device")
    device = sections.privacy.device.protects
    least, most = policy.min_noise or 0.0, policy.max_clip or math.inf
    clip, update_clip = _clip(example), _clip(update)
    return Floor(
        configuration=digest,
        consented=policy.config_digest in (None, digest),
        private=sections.private or policy.protection,
        rate=sections.training.rate,
        steps=sections.training.steps,
        noise_multiplier=max(_noise(example), least if example else 0.0),
        clip=min(clip, most) if example or not device else clip,
        update_noise=max(_noise(update), least if update else 0.0),
        update_clip=min(update_clip, most) if device else update_clip,
        visits=_visits(sections, list(own.values()), policy),
        integers=example is not None and example.mechanism.integers,
        bounds=_bounds(sections, example, update),
    )


def _bounds(
    sections: DeviceSections, example: Protected | None, update: Protected | None
) -> ParameterBounds | None:
    """Bounds on the parameters, where the run is private."""
    if not sections.private:
        return None
    return parameter_bounds(
        sections, noise_multiplier=_noise(example), update_noise=_noise(update)
    )


def _clip(own: Protected | None) -> float:
    return own.mechanism.clip if own else math.inf


def _noise(own: Protected | None) -> float:
    return own.mechanism.noise_multiplier if own else 0.0


def _visits(
    sections: DeviceSections, own: list[Protected], policy: OperatorPolicy
) -> int | None:
    """The strictest limit, None without any; 0 where the policy cannot be met."""
    secret = sections.privacy.noise == "secure"
    if (policy.noise and not own) or (policy.protection and not secret):
        return 0
    limits = [limit for one in own for limit in _limits(one, policy)]
    if policy.max_exposure is not None:
        of_visit = sections.training.rate * sections.training.steps
        limits.append(math.floor(policy.max_exposure / of_visit * (1 + LEEWAY)))
    return min(limits, default=None)


def _limits(own: Protected, policy: OperatorPolicy) -> Iterator[int]:
    """How often the device may take part, for each reason."""
    yield own.times
    if policy.max_epsilon is not None and own.times:
        mechanism = own.mechanism
        strict = mechanism.variant(delta=min(mechanism.delta, LARGEST_DELTA))
        yield within(strict.epsilon, policy.max_epsilon, most=own.times)
