"""Where scores put the photos of a list, when equal scores share the places between them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Places:
    """Each photo's tie: the photos with its score, which share places in random order.

    Attributes:
        above: [lists, items] photos with a larger score.
        tied: [lists, items] photos with the same score, itself included; 0 for padding.
        level: [lists, items, items] whether the column's photo is in the row's tie.
        higher: [lists, items, items] whether the column's photo is above the row's.
    """

    above: Counts
    tied: Counts
    level: Mask
    higher: Mask

    @classmethod
    def of(cls, scores: Floats, *, where: Mask) -> Self:
        """Returns the places of [lists, items] scores; a NaN score is refused.

        >>> places = Places.of(np.array([2.0, 5.0, 2.0]), where=np.ones(3, bool))
        >>> places.above.tolist(), places.tied.tolist()
        ([1, 0, 1], [2, 1, 2])

        Raises:
            ValueError: A score that is not padding is NaN.
        """
        if np.isnan(scores[where]).any():
            raise ValueError("a score is not a number, so the photos have no order.")
        there = where[..., :, None] & where[..., None, :]
        higher = (scores[..., None, :] > scores[..., :, None]) & there
        level = (scores[..., None, :] == scores[..., :, None]) & there
        return cls(
            above=higher.sum(-1, dtype=np.int64),
            tied=level.sum(-1, dtype=np.int64),
            level=level,
            higher=higher,
        )

    def mean(self, worth: Floats) -> Floats:
        """Returns [lists, items] the mean worth of the places of each photo's tie.

        The first place is worth 6 and the second 2; two photos share the second and the third:

        >>> places = Places.of(np.array([2.0, 5.0, 2.0]), where=np.ones(3, bool))
        >>> places.mean(np.array([6.0, 2.0])).tolist()
        [1.0, 6.0, 1.0]

        Args:
            worth: [places] what each place is worth, the best first; later ones are worth 0.
        """
        sums = np.zeros(self.above.shape[-1] + 1)
        counted = min(worth.shape[0], sums.shape[0] - 1)
        sums[1 : counted + 1] = worth[:counted]
        sums = sums.cumsum()
        total: Floats = sums[self.above + self.tied] - sums[self.above]
        return total / np.maximum(self.tied, 1)


def first_places(k: int) -> Floats:
    """Returns the places 1 to ``k``.

    >>> first_places(3).tolist()
    [1.0, 2.0, 3.0]

    Raises:
        ValueError: ``k`` is below 1.
    """
    if k < 1:
        raise ValueError(f"a metric looks at 1 place or more, got k={k}.")
    return np.arange(1, k + 1, dtype=np.float64)


def with_signal(values: Floats, gains: Floats, *, where: Mask) -> Floats:
    """Returns [lists] values, NaN where no two photos of the list differ in gain.

    >>> gains = np.array([[3.0, 1.0], [1.0, 1.0]])
    >>> with_signal(np.array([0.5, 0.5]), gains, where=gains >= 0).tolist()
    [0.5, nan]
    """
    largest = np.where(where, gains, -np.inf).max(-1, initial=-np.inf)
    smallest = np.where(where, gains, np.inf).min(-1, initial=np.inf)
    return np.where(largest > smallest, values, np.nan)
