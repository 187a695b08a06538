"""Vectors as integers: whatever they hold, their norm is exactly bounded."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from privacy.integers.discrete_gaussian import LARGEST

STEPS = 2**18
"""Steps in a clip where nothing else is asked for: half a step is 2e-6 clips, and 2^38 weights
would fit. As a power of two it keeps noise of whole steps exact in clips."""

MOST_STEPS = 2**20
"""Squares of entries then stay below 2^40, so that 2^20 of them add up in 64 bits."""

LEAST_CLIP, MOST_CLIP = 1e-30, 1e30
"""Steps per unit then are at most 2^20 · 10^30, far from the ends of float64."""

EXACT = 2**20
"""Squares that are added up in 64 bits before the sum is cut."""

BLOCK = 2**17
"""Numbers in the rows that are rounded at once, 1 MiB in float64: more leave the caches."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerGrid:
    """Vectors in whole steps, of which ``steps`` make one clip.

    Formal guarantee: whatever a vector holds, the squared norm of its integers, added up in
    integers, is at most ``steps``². Nothing rests on floating point: what the arithmetic before
    that sum got wrong would become zero.

    Attributes:
        clip: Largest L2 norm of one vector, from 1e-30 to 1e30.
        steps: The clip in steps, from 1 to 2^20.
    """

    clip: float
    steps: int = STEPS

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

    def integers(self, update: NDArray[np.floating]) -> Integers:
        """Returns a vector [size] in steps, each entry rounded to the nearest.

        One that is longer than the clip less √size/2 steps is scaled down to that, since
        rounding adds √size/2 at most.

        | vector | returned |
        |---|---|
        | norm 0 | zeros |
        | norm up to clip · (1 - √size/2 / steps) | its entries × steps / clip, rounded |
        | norm above that | scaled to that norm, in steps, rounded |
        | an entry infinite or NaN | zeros |
        | an entry whose square is infinite in float64 | zeros |
        | no entry | no entry |

        >>> IntegerGrid(clip=1.0, steps=1000).integers(np.array([0.3, -0.4])).tolist()
        [300, -400]

        Raises:
            ValueError: √size/2 is not below ``steps``: the grid is too coarse for the vector.
        """
        rows, _ = self._rounded(update[None])
        one: Integers = rows[0]
        return one

    def integers_of_rows(self, gradients: NDArray[np.floating]) -> tuple[Integers, int]:
        """Returns the sum of the integers of each row, and how many rows were not finite.

        Formal guarantee: each row counts as by ``integers``, from its own numbers alone: no
        other row, their order or number changes a bit of what it adds. So one row more moves
        the sum by a vector whose squared norm is at most ``steps``², in integers. The sum is
        exact for fewer than 2^42 rows, here or in calls whose sums are added: an entry of a
        row is at most 2^20, and what 2^42 of them give has room in 64 bits for any noise of
        ``discrete_gaussian``, which is below 2^32.

        Args:
            gradients: [rows, size] float32 or float64; none is legal. Of float64, a row whose
                squared norm is not finite is not finite.

        Raises:
            ValueError: Same as for ``integers``, or it has no two axes.
        """
        if gradients.ndim != 2:  # noqa: PLR2004
            raise ValueError(
                f"gradients of shape {gradients.shape} must be [rows, size]: along another "
                "axis no norm is bounded."
            )
        size = gradients.shape[1]
        total = np.zeros(size, np.int64)
        at_once, missing = max(1, BLOCK // max(1, size)), 0
        for first in range(0, len(gradients), at_once):
            rows, finite = self._rounded(gradients[first : first + at_once])
            total += rows.sum(axis=0)
            missing += int(np.count_nonzero(~finite))
        return total, missing

    def values(self, integers: Integers) -> NDArray[np.float64]:
        """Returns integers of this grid, or a sum of them, in the unit of the vectors."""
        return integers.astype(np.float64) * (self.clip / self.steps)

    def deviation(self, noise_multiplier: float) -> int:
        """Returns a noise in clips as whole steps, rounded up.

        Raises:
            ValueError: It is below 0, or more than the sampler draws.
        """
        largest = LARGEST / self.steps
        if not 0 <= noise_multiplier <= largest:
            raise ValueError(
                f"noise_multiplier={noise_multiplier:g} must lie between 0 and {largest:g} for "
                f"steps={self.steps}; use fewer steps or less noise."
            )
        return math.ceil(Fraction(noise_multiplier) * self.steps)

    def _rounded(self, rows: NDArray[np.floating]) -> tuple[Integers, NDArray[np.bool_]]:
        """[rows, size] the integers of each row, and [rows] whether it was finite."""
        room = self._room(rows.shape[1])
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            exact = np.array(rows, np.float64, order="C")
            lengths = norms(exact)
            finite = np.isfinite(lengths)
            exact[~finite] = 0
            scales = np.minimum(self.steps / self.clip, room / np.where(finite, lengths, 1.0))
        exact *= scales[:, None]
        np.rint(exact, out=exact)
        return within(exact.astype(np.int64), self.steps), finite

    def _room(self, size: int) -> float:
        """Steps that a vector of such a size may have before it is rounded."""
        room = self.steps - math.sqrt(size) / 2
        if room <= 0:
            raise ValueError(
                f"steps={self.steps} must exceed half the root of the {size} weights; raise "
                "it, or train fewer weights (ranking.trained)."
            )
        return room


def norms(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns [rows] the norm of each row, infinite or undefined where a square of it is.

    Each has the same bits whatever else is there, since NumPy adds up each row of one that is
    contiguous by itself, in an order that its length alone decides.

    Args:
        rows: [rows, size], contiguous, the last axis fastest.
    """
    lengths: NDArray[np.float64] = np.sqrt(np.square(rows).sum(axis=1))
    return lengths


def within(integers: Integers, bound: int) -> Integers:
    """Returns the vectors themselves where their norm is at most ``bound``, and zero otherwise.

    | vector | returned |
    |---|---|
    | squared norm up to bound² | itself |
    | squared norm above bound² | zeros |
    | an entry beyond ±bound, even where its square leaves 64 bits | zeros |
    | no entry | no entry |

    >>> within(np.array([[3, 4], [3, 5]]), 5).tolist()
    [[3, 4], [0, 0]]

    Args:
        integers: [size] or [rows, size] any integers; changed where a vector is too long.
        bound: From 0 to 2^20.
    """
    kept = integers.max(axis=-1, initial=0) <= bound
    kept &= integers.min(axis=-1, initial=0) >= -bound
    squares = np.zeros(integers.shape[:-1], np.int64)
    for first in range(0, integers.shape[-1], EXACT):
        part = integers[..., first : first + EXACT]
        # 2^20 squares of at most 2^40 each, where entries are within the bound; of the others
        # the sum wraps, and they are not kept
        squares += np.einsum("...i,...i->...", part, part)
        squares = np.minimum(squares, bound**2 + 1)
    kept &= squares <= bound**2
    if not kept.all():
        integers[~kept] = 0
    return integers
