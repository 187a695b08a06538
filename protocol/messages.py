"""What crosses the wire between the server and a device: nothing else does."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class VisitTerms:
    """The public terms of one visit, the same for every device.

    Attributes:
        steps: Local steps.
        rate: Probability of each moment in a step.
        denominator: Divides every sum of gradients.
        lr: Local learning rate.
        clip: Largest norm of a moment's gradient; infinite without privacy.
        noise_multiplier: Noise in units of ``clip``; 0 without privacy.
        max_participations: Visits after which a device declines; 0 for no limit.
        private: Whether the visit is protected: then nothing but the update may leave.
        update_clip: Largest norm of the update that leaves; infinite for any.
        update_noise: Noise on the update in units of ``update_clip``; 0 for none.
        integers: Whether each step clips, adds up and adds its noise in whole numbers.
    """

    steps: int
    rate: float
    denominator: float
    lr: float
    clip: float
    noise_multiplier: float
    max_participations: int
    private: bool
    update_clip: float = math.inf
    update_noise: float = 0.0
    integers: bool = False

    @property
    def deviation(self) -> float:
        """Standard deviation of a step's noise; 0 without noise, whatever the clip."""
        return self.noise_multiplier * self.clip if self.noise_multiplier else 0.0

    @property
    def update_deviation(self) -> float:
        """Standard deviation of the noise on the update; 0 without."""
        return self.update_noise * self.update_clip if self.update_noise else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What the server asks of one device.

    Attributes:
        round: Round number, from 1.
        attempt: How often this round was begun before.
        parameters: [trainable] the released parameters.
        digest: Hexadecimal SHA-256 of the frozen part.
        frozen: [frozen] the frozen part, or None for a device that should hold it.
        terms: The terms.
    """

    round: int
    attempt: int
    parameters: Vector
    digest: str
    frozen: Vector | None
    terms: VisitTerms


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What a device sends: the difference of its parameters, and nothing about itself.

    Attributes:
        round: The task's round.
        attempt: The task's attempt.
        delta: [trainable] trained minus received parameters.
    """

    round: int
    attempt: int
    delta: Vector


class DeclineReason(StrEnum):
    """Why a device does not take part: each is public."""

    PARTICIPATIONS_SPENT = "participations spent"
    FROZEN_PART_MISSING = "frozen part missing"
    FROZEN_PART_DIFFERS = "frozen part differs"
    PARAMETERS_OUT_OF_BOUNDS = "parameters out of bounds"
    PRIVATE_RUN = "private run"
    WEAKER_THAN_FLOOR = "weaker than the floor"
    BUDGET_SPENT = "budget spent"
    ANOTHER_CONFIGURATION = "another configuration"


class LeftOut(StrEnum):
    """Why a node is asked nothing in a run: the server tells it, and its log says so."""

    NUMBER_TAKEN = "number taken"
    NO_NUMBER = "no number"
    NO_SUCH_DEVICE = "no such device"


@dataclass(frozen=True, kw_only=True, slots=True)
class Declined:
    """An expected answer of a device that does not take part."""

    round: int
    attempt: int
    reason: DeclineReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a device answers to an evaluation, in a run without privacy only.

    Attributes:
        round: The task's round.
        attempt: The task's attempt.
        figures: Finite figures by their names.
    """

    round: int
    attempt: int
    figures: dict[str, float]


class RefusalReason(StrEnum):
    """Why the server refuses a reply."""

    DEVICE_FAILED = "device failed"
    NOT_A_REPLY = "not a reply"
    TOO_LARGE = "too large"
    WRONG_TYPE = "wrong type"
    WRONG_LENGTH = "wrong length"
    NOT_FINITE = "not finite"
    WRONG_ROUND = "wrong round"
    UNKNOWN_SENDER = "unknown sender"
    DUPLICATE = "duplicate"
    NORM = "norm above the public bound"


@dataclass(frozen=True, slots=True)
class Malformed:
    """A reply that is none: decoding found out why before using it."""

    reason: RefusalReason
