"""What the server asks of every device, and every device knows of in advance."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval


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
    """

    steps: Annotated[int, Interval(ge=1, le=100_000)]
    rate: Annotated[float, Interval(gt=0, le=1)]
    reference_size: Annotated[int, Interval(ge=1, le=1_000_000)]
    largest_library: Annotated[int, Interval(ge=1, le=10_000_000)]
    lr: Annotated[float, Gt(0)]
