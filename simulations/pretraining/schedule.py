"""The learning rate over a training: a warm-up, then half a cosine."""

import math

WARM_UP = 50
"""Steps in which the rate rises: Adam's second moments are poor estimates at first."""


def pace(step: int, *, steps: int) -> float:
    """Returns the learning rate as a share of its largest, after ``step`` of ``steps``."""
    left = 0.5 + 0.5 * math.cos(math.pi * min(1, step / steps))
    return min(1, (step + 1) / WARM_UP) * left
