"""Correlated noise as it is needed: the rows of C⁻¹ Z, one round at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from privacy.correlation.buffered_toeplitz import BufferedToeplitz
    from privacy.noise import Stream

Floats = NDArray[np.float64]


class Recurrence(Protocol):
    """How C⁻¹ is applied row by row."""

    @property
    def memory(self) -> int:
        """Vectors that are kept from round to round."""
        ...

    def row(self, draws: Floats, *, past: Floats, number: int) -> Floats:
        """Returns [size] row ``number`` of C⁻¹ Z and takes it into ``past`` [memory, size].

        Args:
            draws: [size] the row of Z.
            past: What was kept of the rows before; zeros at row 0. Changed in place.
            number: The number of the row; each is asked for once, ascending.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class BandedRecurrence:
    """Keeps the last rows of noise, one fewer than there are coefficients.

    Attributes:
        coefficients: The first column of C as far as it is not zero, from a positive one on.
    """

    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        if not (self.coefficients and self.coefficients[0] > 0):
            raise ValueError(
                f"the first of the coefficients {self.coefficients} must be positive; take "
                "those that toeplitz.optimal returns."
            )

    @property
    def memory(self) -> int:
        """Rows of noise that are kept."""
        return len(self.coefficients) - 1

    def row(self, draws: Floats, *, past: Floats, number: int) -> Floats:
        """Solves c₀ noise_t = z_t - c₁ noise_(t-1) - … by the rows that are kept, in a ring."""
        column = np.array(self.coefficients)
        if self.memory == 0:
            alone: Floats = draws / column[0]
            return alone
        ages = 1 + (number - 1 - np.arange(self.memory)) % self.memory
        noise: Floats = (draws - column[ages] @ past) / column[0]
        past[number % self.memory] = noise
        return noise


@dataclass(frozen=True, kw_only=True, slots=True)
class BufferedRecurrence:
    """Keeps one fading sum of the rows of noise for each buffer.

    Attributes:
        strategy: The matrix C.
    """

    strategy: BufferedToeplitz

    @property
    def memory(self) -> int:
        """Buffers that are kept."""
        return len(self.strategy.decay)

    def row(self, draws: Floats, *, past: Floats, number: int) -> Floats:
        """Takes Σ output_i buffer_i from the draws; every row is taken alike."""
        noise: Floats = draws - np.array(self.strategy.output) @ past
        past *= np.array(self.strategy.decay)[:, None]
        past += noise
        return noise


class CorrelatedNoise:
    """The noise of a run: row t of C⁻¹ Z for the t-th round that is released.

    Formal guarantee: Z is standard normal and independent where every round has a stream of its
    own, in float64; what ``draw`` returns is C⁻¹ Z up to rounding. The caller scales it.

    The state is as secret as the draws: who has it can take the noise off again. A round whose
    noise was shown must not be drawn anew from an older state: it would be released twice.
    """

    def __init__(self, recurrence: Recurrence, *, size: int) -> None:
        """Starts before the first round.

        Args:
            recurrence: How C⁻¹ is applied.
            size: Coordinates of a round's noise.
        """
        self._recurrence = recurrence
        self._past = np.zeros((recurrence.memory, size))
        self._rounds = 0

    @property
    def size(self) -> int:
        """Coordinates of a round's noise."""
        return self._past.shape[1]

    @property
    def memory(self) -> int:
        """Vectors of ``size`` float64 that are kept from round to round."""
        return len(self._past)

    @property
    def rounds(self) -> int:
        """Rows that were drawn."""
        return self._rounds

    def draw(self, stream: Stream) -> Floats:
        """Returns [size] the noise of the next round.

        Args:
            stream: Secret draws of this round and of nothing else.
        """
        draws = stream.gaussian(self.size)
        noise = self._recurrence.row(draws, past=self._past, number=self._rounds)
        self._rounds += 1
        return noise

    def state(self) -> dict[str, NDArray[Any]]:
        """Returns a copy of all that the next rows depend on: ``rounds`` [] and ``past``."""
        return {"rounds": np.array(self._rounds), "past": self._past.copy()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continues from what ``state`` returned.

        Raises:
            ValueError: It is the state of another strategy or of another size.
        """
        past = state["past"]
        if past.shape != self._past.shape:
            raise ValueError(
                f"a state of {past.shape} must have the shape {self._past.shape}; resume with "
                "the strategy and the model that the run began with."
            )
        self._past = past.astype(np.float64)
        self._rounds = int(state["rounds"])
