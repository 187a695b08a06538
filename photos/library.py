"""A device's photos: moments, their bursts and the feedback of their owner."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

SMALLEST_MOMENT = 2
"""Photos of a moment: one photo alone has no order to learn."""

LARGEST_MOMENT = 12
"""Photos of a moment at most; later ones are left out, so that a folder stays one example. The
bound on rounding in ``privacy.clipping.sensitivity`` counts on it."""


class Feedback(IntEnum):
    """What the owner did with a photo."""

    DELETE = 0
    KEEP = 1
    FAVOURITE = 2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judgement:
    """What people said of a moment beside its feedback, and the metric that it is for.

    It is for evaluation alone: no training reads it.

    Attributes:
        metric: Name of the metric; ``simulations.evaluation.own_metric`` has each.
        values: float64, in the shape that the metric asks for.
    """

    metric: str
    values: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moment:
    """Photos taken together, in the order of capture: the list that is ranked, one example.

    Attributes:
        number: The moment's own number in its library; it never depends on other moments.
        photos: [photos, side, side, 3] uint8 RGB.
        bursts: [photos] int64; equal numbers are near duplicates.
        feedback: [photos] int64 of ``Feedback``.
        expected_gain: [photos] float64 expected ``2^feedback - 1``, or None where the owner's
            taste is unknown, as for real photographs.
        judgement: Of a public set with a metric of its own; None of any other source.
    """

    number: int
    photos: NDArray[np.uint8]
    bursts: NDArray[np.int64]
    feedback: NDArray[np.int64]
    expected_gain: NDArray[np.float64] | None
    judgement: Judgement | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Library:
    """One device's photos.

    Attributes:
        device: The device's number in the population.
        moments: Moments in the order of their numbers.
        skipped: How many files or moments were left out, by reason; it never leaves the device.
        rated: Photos of which something says what their owner did with them, those that were
            left out among them; None where the source does not count them.
    """

    device: int
    moments: tuple[Moment, ...]
    skipped: dict[str, int]
    rated: int | None = None
