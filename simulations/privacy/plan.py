"""What a promise would cost: the noise that every mechanism needs for every ε."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from privacy.accounting.noise_search import NextToNoNoiseError
from privacy.mechanisms.base.mechanism import Mechanism
from privacy.mechanisms.base.unit_settings import Federation, UnitSettings, check_delta
from privacy.mechanisms.correlated.settings import MatrixSettings, left
from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.moments.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.moments.settings import KINDS
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.poisson import PoissonSampling
from simulations.configuration.settings import Config

EXAMPLE_DELTA = 1e-5
"""δ of a moment where the run does not protect it: that of conf/privacy/example/, and the
largest that a device accepts."""

DEVICE_DELTA_SHARE = 0.1
"""δ of a device where the run does not protect it, in units of 1 / devices: at 1 a mechanism
may publish one device whole."""

NONE_GIVEN = 1.0
"""The clip where the run gives none. Noise is in clips, so that the table says the same for
any."""

USUAL_BUFFERS = 4
"""Buffers of correlated noise where the run gives none: those of
conf/privacy/device/matrix.yaml."""

T = TypeVar("T")


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
        run: Devices, rounds and cohort.
        cap: Devices of a round at most; None for the usual cap.
        example: DP-SGD, whose noise is not decided.
        example_visits: Visits after which a device declines.
        device_visits: The same, where each device adds noise of its own.
        moments: Moments expected in a step, of which the sum is divided.
        device_delta: The δ of the unit *device*.
        matrix: Correlated noise, whose ε is not decided.
    """

    run: Federation
    cap: int | None
    example: DpSgd | IntegerDpSgd
    example_visits: int
    device_visits: int
    moments: float
    device_delta: float
    matrix: MatrixSettings

    @classmethod
    def of(cls, config: Config) -> Plan:
        """Returns the facts of a run; what a unit that is off does not say has a usual value.

        Raises:
            ValueError: The number of devices is not known, or δ is too large for it.
        """
        devices, rounds = config.photos.devices, config.server.rounds
        if devices is None:
            raise ValueError(
                "photos.devices is null: noise follows from the number of devices; add it, as "
                "photos.devices=72."
            )
        example, device = config.privacy.example, config.privacy.device
        training = config.training
        delta = said(device, "delta", DEVICE_DELTA_SHARE / devices)
        check_delta(delta, devices=devices)
        cap = said(device, "largest_cohort", None)
        return cls(
            run=Federation(devices=devices, rounds=rounds, cohort=config.server.cohort),
            cap=cap,
            example=KINDS[said(example, "numbers", "float64")](
                sampling=PoissonSampling(rate=training.rate),
                noise_multiplier=0.0,
                clip=said(example, "clip", NONE_GIVEN),
                steps=training.steps,
                delta=said(example, "delta", EXAMPLE_DELTA),
            ),
            example_visits=said(example, "max_participations", rounds),
            device_visits=said(device, "max_participations", rounds),
            moments=training.rate * training.reference_size,
            device_delta=delta,
            matrix=MatrixSettings(
                epsilon=None,
                noise_multiplier=None,
                delta=delta,
                clip=NONE_GIVEN,
                clipping="whole",
                largest_cohort=cap,
                strategy=said(device, "strategy", "banded"),
                buffers=said(device, "buffers", USUAL_BUFFERS),
                participation=said(device, "participation", "separated"),
                separation=said(device, "separation", None),
            ),
        )

    @property
    def gaussian(self) -> CohortGaussian:
        """The noise on a cohort's sum, not decided."""
        return CohortGaussian(
            sampling=CappedPoissonSampling.expecting(
                self.run.cohort, devices=self.run.devices, cap=self.cap
            ),
            noise_multiplier=0.0,
            clip=1.0,
            delta=self.device_delta,
        )

    @property
    def local(self) -> LocalGaussian:
        """The noise on each update, not decided."""
        return LocalGaussian(noise_multiplier=0.0, clip=1.0, delta=self.device_delta)


def said(settings: UnitSettings, name: str, usual: T) -> T:
    """Returns what settings say of ``name``, or ``usual`` where they do not know it."""
    found: T = getattr(settings, name, usual)
    return found


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
    return Choice(noise=noise, on_mean=noise / (plan.moments * math.sqrt(plan.run.cohort)))


def _gaussian(plan: Plan, epsilon: float) -> Choice:
    noise = _noise(epsilon, plan.gaussian, plan.run.rounds)
    return Choice(noise=noise, on_mean=noise / plan.run.cohort)


def _local(plan: Plan, epsilon: float) -> Choice:
    noise = _noise(epsilon, plan.local, plan.device_visits)
    return Choice(noise=noise, on_mean=noise / math.sqrt(plan.run.cohort))


def _matrix(plan: Plan, epsilon: float) -> Choice:
    """Correlated noise, and the independent noise of the same error of the prefix sums."""
    try:
        found = replace(plan.matrix, epsilon=epsilon).derive(plan.run)
    except NextToNoNoiseError:
        return Choice(noise=0.0, on_mean=0.0)
    error = left(found, rounds=plan.run.rounds)
    independent = error / math.sqrt((plan.run.rounds + 1) / 2)
    return Choice(noise=found.noise_multiplier, on_mean=independent / plan.run.cohort)


def _noise(epsilon: float, mechanism: Mechanism, times: int) -> float:
    """The noise multiplier, or 0 or infinity where a run would be refused."""
    try:
        return mechanism.noise_for(epsilon, times)
    except NextToNoNoiseError:
        return 0.0
    except ValueError:
        return math.inf
