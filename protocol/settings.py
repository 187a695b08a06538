"""What the server asks of every device, and every device knows of in advance."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval

LEAST_RATE = 1e-9
"""Smallest probability and learning rate: a division by their product stays far from the end
of float32."""

MOST_TIMES = 1_000_000
"""Most rounds or visits that a setting may name: more were never tried."""

Times = Annotated[int, Interval(ge=1, le=MOST_TIMES)]
Cohort = Annotated[float, Gt(0)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """Local training, the same on every device: all of it is public.

    Attributes:
        steps: Local steps of one visit.
        rate: Probability with which each moment takes part in a step.
        reference_size: Public library size; ``rate * reference_size`` divides every sum of
            gradients, whatever the device's own library holds.
        largest_library: Public bound on a library's training moments, for the server's norm
            bound only.
        lr: Learning rate of the local steps.
        seconds: A private visit in a deployment is answered after so many seconds, so that its
            time says nothing of the library; one that needs longer still shows. Null answers
            at once.
    """

    steps: Annotated[int, Interval(ge=1, le=100_000)]
    rate: Annotated[float, Interval(ge=LEAST_RATE, le=1)]
    reference_size: Annotated[int, Interval(ge=1, le=1_000_000)]
    largest_library: Annotated[int, Interval(ge=1, le=10_000_000)]
    lr: Annotated[float, Interval(ge=LEAST_RATE, le=1e6)]
    seconds: Annotated[float, Interval(gt=0, le=86_400)] | None = None
