"""The floor of a run: what its configuration promises, and what the operator demands."""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from client.consent.floor import Floor
from client.consent.operator import Demands
from client.consent.parameter_bounds import ParameterBounds, parameter_bounds
from client.sections import Sections, read_sections
from privacy.mechanisms import local_gaussian
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.unions import OF_NUMBERS, Moment
from privacy.sampling.poisson import PoissonSampling
from privacy.settings import Device, Example
from protocol.settings import Training

LEEWAY = 1e-9
"""Two machines may derive the same noise with other last digits."""

LARGEST_DELTA = 1e-5
"""The δ of an operator's ε is at most this, whatever the configuration says."""

MOST_VISITS = 1_000_000
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What the configuration promises for a unit that the device itself protects.

    Attributes:
        mechanism: What runs at least.
        budget: The ε that is not passed, or None where the noise follows from it.
        visits: Visits at most; None for any number.
    """

    mechanism: Moment | LocalGaussian
    budget: float | None
    visits: int | None


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
        SettingError: As of ``read_sections``.
        ValueError: A setting that a mechanism needs is null.
    """
    sections = read_sections(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    example = _example(sections.training, sections.privacy.example)
    update = _update(sections.privacy.device)
    server = sections.privacy.device.mechanism != "none"
    least, most = demands.min_noise or 0.0, demands.max_clip or math.inf
    clip, update_clip = _clip(example), _clip(update)
    return Floor(
        configuration=digest,
        consented=demands.config_digest in (None, digest),
        private=sections.private or demands.protection,
        rate=sections.training.rate,
        steps=sections.training.steps,
        noise_multiplier=max(_noise(example), least if example else 0.0),
        clip=min(clip, most) if example or not server else clip,
        update_noise=max(_noise(update), least if update else 0.0),
        update_clip=min(update_clip, most) if server else update_clip,
        visits=_visits(sections, [p for p in (example, update) if p], demands),
        integers=example is not None and isinstance(example.mechanism, IntegerDpSgd),
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


def _example(training: Training, example: Example) -> Promise | None:
    if example.mechanism == "none":
        return None
    delta = _needed("example.delta", example.delta)
    kind = OF_NUMBERS[_needed("example.numbers", example.numbers)]
    noise, budget = example.noise_multiplier, example.epsilon
    if noise is None:
        visits = _needed("example.max_participations", example.max_participations)
        steps = training.steps * visits
        epsilon, budget = _needed("example.epsilon", budget), None
        noise = kind.least_noise(epsilon, delta=delta, rate=training.rate, steps=steps)
        noise *= 1 - LEEWAY
    mechanism = kind(
        sampling=PoissonSampling(rate=training.rate),
        noise_multiplier=noise,
        clip=_needed("example.clip", example.clip),
        steps=training.steps,
        delta=delta,
    )
    return Promise(mechanism=mechanism, budget=budget, visits=example.max_participations)


def _update(device: Device) -> Promise | None:
    if device.mechanism != "local":
        return None
    delta = _needed("device.delta", device.delta)
    noise, budget = device.noise_multiplier, device.epsilon
    if noise is None:
        visits = _needed("device.max_participations", device.max_participations)
        epsilon, budget = _needed("device.epsilon", budget), None
        noise = local_gaussian.least_noise(epsilon, participations=visits, delta=delta)
        noise *= 1 - LEEWAY
    mechanism = LocalGaussian(
        noise_multiplier=noise, clip=_needed("device.clip", device.clip), delta=delta
    )
    return Promise(mechanism=mechanism, budget=budget, visits=device.max_participations)


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
    mechanism, most = promise.mechanism, promise.visits
    if most is not None:
        yield most
    if promise.budget is not None:
        yield _within(mechanism.epsilon, promise.budget, most=most or MOST_VISITS)
    if demands.max_epsilon is not None:
        strict = replace(mechanism, delta=min(mechanism.delta, LARGEST_DELTA))
        yield _within(strict.epsilon, demands.max_epsilon, most=most or MOST_VISITS)


def _within(epsilon: Callable[[int], float], budget: float, *, most: int) -> int:
    """The largest number of visits, up to ``most``, whose ε is within ``budget``."""
    if epsilon(most) <= budget:
        return most
    high = 1
    while high < most and epsilon(high) <= budget:
        high *= 2
    low, high = high // 2, min(high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if epsilon(middle) <= budget else (low, middle)
    return low


def _needed(name: str, value: T | None) -> T:
    if value is None:
        raise ValueError(f"privacy.{name} is null but its mechanism needs it; set it.")
    return value
