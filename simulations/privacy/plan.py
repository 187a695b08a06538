"""What a promise would cost: the noise that every mechanism needs for every ε."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from privacy.accounting.noise_search import NextToNoNoiseError
from privacy.correlation import toeplitz
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.unions import OF_NUMBERS, Moment
from privacy.planning import target
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.poisson import PoissonSampling
from privacy.settings import Device
from server.protection import correlation
from server.settings import Server
from simulations.configuration.settings import Config

EPSILONS = (0.5, 1.0, 2.0, 4.0, 8.0)
EXAMPLE_DELTA = 1e-5
DEVICE_DELTA_SHARE = 0.1
NONE_GIVEN = 1.0
USUAL_BUFFERS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What one mechanism needs for one ε.

    Attributes:
        noise: The noise multiplier; 0 where next to none is enough, infinity where 10,000 is
            not.
        on_mean: Deviation of the noise on one coordinate of the mean over a cohort, in clips.
    """

    noise: float
    on_mean: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The public facts that privacy depends on.

    Attributes:
        devices: Devices in the population.
        rounds: Rounds of the run.
        cohort: Devices expected in a round.
        cap: Devices of a round at most; None for the usual cap.
        example: DP-SGD, whose noise is not decided.
        example_visits: Visits after which a device declines.
        device_visits: The same, where each device adds noise of its own.
        moments: Moments expected in a step, of which the sum is divided.
        device_delta: The δ of the unit *device*.
        server: Rounds and cohort, as the strategies of correlated noise take them.
        matrix: Correlated noise, whose ε is not decided.
    """

    devices: int
    rounds: int
    cohort: float
    cap: int | None
    example: Moment
    example_visits: int
    device_visits: int
    moments: float
    device_delta: float
    server: Server
    matrix: Device

    @classmethod
    def of(cls, config: Config) -> Plan:
        """Returns the facts of a run; what is null because a unit is off gets a usual value.

        Raises:
            ValueError: The number of devices is not known, or δ is too large for it.
        """
        devices, rounds = config.photos.devices, config.server.rounds
        if devices is None:
            raise ValueError(
                "photos.devices is null: noise follows from the number of devices; add it, as "
                "photos.devices=72."
            )
        example, device, training = (
            config.privacy.example,
            config.privacy.device,
            config.training,
        )
        delta = device.delta or DEVICE_DELTA_SHARE / devices
        if delta >= 1 / devices:
            raise ValueError(
                f"privacy.device.delta={delta:g} would allow one of the {devices} devices to "
                f"be published whole; use one below {1 / devices:.2g}."
            )
        return cls(
            devices=devices,
            rounds=rounds,
            cohort=config.server.cohort,
            cap=device.largest_cohort,
            example=OF_NUMBERS[example.numbers or "float64"](
                sampling=PoissonSampling(rate=training.rate),
                noise_multiplier=0.0,
                clip=example.clip or NONE_GIVEN,
                steps=training.steps,
                delta=example.delta or EXAMPLE_DELTA,
            ),
            example_visits=example.max_participations or rounds,
            device_visits=device.max_participations or rounds,
            moments=training.rate * training.reference_size,
            device_delta=delta,
            server=config.server,
            matrix=_matrix_of(device, delta=delta),
        )

    @property
    def gaussian(self) -> CohortGaussian:
        """The noise on a cohort's sum, not decided."""
        return CohortGaussian(
            sampling=CappedPoissonSampling.expecting(
                self.cohort, devices=self.devices, cap=self.cap
            ),
            noise_multiplier=0.0,
            clip=1.0,
            delta=self.device_delta,
        )

    @property
    def local(self) -> LocalGaussian:
        """The noise on each update, not decided."""
        return LocalGaussian(noise_multiplier=0.0, clip=1.0, delta=self.device_delta)


def _matrix_of(device: Device, *, delta: float) -> Device:
    """The settings of correlated noise, the usual ones where they are null."""
    return replace(
        device,
        mechanism="matrix",
        noise_multiplier=None,
        delta=delta,
        clip=NONE_GIVEN,
        strategy=device.strategy or "banded",
        buffers=device.buffers or USUAL_BUFFERS,
        participation=device.participation or "separated",
    )


def choices(plan: Plan) -> dict[str, Callable[[float], Choice]]:
    """Returns by the names of the mechanisms what gives their choice for an ε."""
    return {
        "dpsgd": partial(_dpsgd, plan),
        "gaussian": partial(_gaussian, plan),
        "matrix": partial(_matrix, plan),
        "local": partial(_local, plan),
    }


def _dpsgd(plan: Plan, epsilon: float) -> Choice:
    noise = _noise(epsilon, plan.example, plan.example_visits)
    return Choice(noise=noise, on_mean=noise / (plan.moments * math.sqrt(plan.cohort)))


def _gaussian(plan: Plan, epsilon: float) -> Choice:
    noise = _noise(epsilon, plan.gaussian, plan.rounds)
    return Choice(noise=noise, on_mean=noise / plan.cohort)


def _local(plan: Plan, epsilon: float) -> Choice:
    noise = _noise(epsilon, plan.local, plan.device_visits)
    return Choice(noise=noise, on_mean=noise / math.sqrt(plan.cohort))


def _matrix(plan: Plan, epsilon: float) -> Choice:
    """Correlated noise, and the independent noise of the same error of the prefix sums."""
    device = replace(plan.matrix, epsilon=epsilon)
    try:
        found = correlation.mechanism(device, plan.server, devices=plan.devices)
    except NextToNoNoiseError:
        return Choice(noise=0.0, on_mean=0.0)
    column = np.array(found.coefficients)
    error = found.noise_multiplier * toeplitz.root_error(column, plan.rounds)
    independent = error / math.sqrt((plan.rounds + 1) / 2)
    return Choice(noise=found.noise_multiplier, on_mean=independent / plan.cohort)


def _noise(epsilon: float, mechanism: target.Mechanism, times: int) -> float:
    """The noise multiplier, or 0 or infinity where a run would be refused."""
    try:
        return target.noise_multiplier(epsilon, mechanism, times=times)
    except NextToNoNoiseError:
        return 0.0
    except ValueError:
        return math.inf
