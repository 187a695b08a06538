"""The strategies of correlated noise by their names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from privacy.correlation import buffered_toeplitz, toeplitz
from privacy.correlation.noise import BandedRecurrence, BufferedRecurrence, Recurrence

Name = Literal["banded", "sqrt", "buffered", "independent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixStrategy:
    """A matrix C, and how the rows of C⁻¹ Z are drawn.

    Attributes:
        coefficients: The first column of C; those not given are zero.
        recurrence: Draws the noise of one round after the other.
    """

    coefficients: tuple[float, ...]
    recurrence: Recurrence


@lru_cache(maxsize=64)
def matrix_strategy(
    name: Name, rounds: int, *, separation: int, participations: int, buffers: int
) -> MatrixStrategy:
    """Returns the strategy called ``name``.

    Args:
        name: ``banded``, of least error among those whose columns end after ``separation``
            rounds; ``sqrt``, their square root, without a search; ``buffered``, of least error
            at the memory of ``buffers`` vectors; ``independent``, without correlation.
        rounds: Rounds of the run.
        separation: Rounds from one participation of a device to the next, at least.
        participations: Participations of one device, at most.
        buffers: Vectors of memory, of ``buffered`` alone.
    """
    bands = min(separation, rounds)
    match name:
        case "banded":
            return _banded(toeplitz.optimal(rounds, bands))
        case "sqrt":
            return _banded(toeplitz.square_root(bands))
        case "independent":
            return _banded(toeplitz.ONE)
        case "buffered":
            found = buffered_toeplitz.optimal(
                rounds, buffers, separation=separation, participations=participations
            )
            return MatrixStrategy(
                coefficients=tuple(found.coefficients(rounds).tolist()),
                recurrence=BufferedRecurrence(strategy=found),
            )


def _banded(column: toeplitz.Floats) -> MatrixStrategy:
    coefficients = tuple((column / np.linalg.norm(column)).tolist())
    return MatrixStrategy(
        coefficients=coefficients, recurrence=BandedRecurrence(coefficients=coefficients)
    )
