"""Updates as integers: whatever they hold, their norm is exactly bounded."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_STEPS = 2**20
LEAST_CLIP, MOST_CLIP = 1e-30, 1e30
EXACT = 2**20
Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerGrid:
    """Vectors in whole steps, of which ``steps`` make one clip.

    Formal guarantee: whatever an update holds, the squared norm of ``integers(update)``, added
    up in integers, is at most ``steps``². Nothing rests on floating point: what the arithmetic
    before that sum got wrong would become zero.

    Attributes:
        clip: Largest L2 norm of one update, from 1e-30 to 1e30.
        steps: The clip in steps, from 1 to 2^20.
    """

    clip: float
    steps: int

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MOST_STEPS:
            raise ValueError(
                f"steps={self.steps} must lie between 1 and {MOST_STEPS}; 2**18 suits most "
                "models."
            )
        if not LEAST_CLIP <= self.clip <= MOST_CLIP:
            raise ValueError(
                f"clip={self.clip:g} must lie between {LEAST_CLIP:g} and {MOST_CLIP:g}; use "
                "about the norm of a usual update."
            )

    def integers(self, update: NDArray[np.float32]) -> Integers:
        """Returns an update in steps, each entry rounded to the nearest.

        One that is longer than the clip less √size/2 steps is scaled down to that, since
        rounding adds √size/2 at most. One that is not finite becomes zero.

        Args:
            update: [size].

        Raises:
            ValueError: √size/2 is not below ``steps``: the grid is too coarse for the vector.
        """
        room = self.steps - math.sqrt(update.size) / 2
        if room <= 0:
            raise ValueError(
                f"steps={self.steps} must exceed half the root of the {update.size} weights; "
                "raise it, or train fewer weights."
            )
        exact = update.astype(np.float64)
        norm = float(np.linalg.norm(exact))
        if not math.isfinite(norm):
            return np.zeros(update.shape, np.int64)
        per_unit = self.steps / self.clip
        scale = per_unit if norm * per_unit <= room else room / norm
        return within(np.rint(exact * scale).astype(np.int64), self.steps)

    def values(self, integers: Integers) -> NDArray[np.float64]:
        """Returns integers of this grid, or a sum of them, in the unit of the updates."""
        return integers.astype(np.float64) * (self.clip / self.steps)


def within(integers: Integers, bound: int) -> Integers:
    """Returns the vector itself where its norm is at most ``bound``, and zero otherwise.

    Args:
        integers: [size] any integers.
        bound: From 0 to 2^20.
    """
    if integers.max(initial=0) <= bound and integers.min(initial=0) >= -bound:
        # 2^20 squares of at most 2^40: each part is below 2^63, and their sum has no limit
        parts = (integers[first : first + EXACT] for first in range(0, integers.size, EXACT))
        if sum(int(part @ part) for part in parts) <= bound**2:
            return integers
    return np.zeros_like(integers)
