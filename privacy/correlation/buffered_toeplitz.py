"""Buffered linear Toeplitz strategies: correlated noise at the memory of a few vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from privacy import deferred
from privacy.correlation import toeplitz

MOST_BUFFERS = 8
"""Vectors of memory. Measured on 2,000 rounds of which a device joins one: the root mean
squared error of the prefix sums, in clips at noise multiplier 1, is 3.849 with one buffer and
3.270 with 4, 5 and 8; more cost memory."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class BufferedToeplitz:
    """A Toeplitz matrix whose coefficients are a sum of geometric decays.

    BLT of Dvijotham, McMahan, Pillutla, Steinke and Thakurta (arXiv 2404.16706): c₀ = 1 and
    c_t = Σ output_i · decay_i^(t - 1) from there on. Where the outputs sum to at most 1, c
    never increases, so ``toeplitz.sensitivity`` of it is exact.

    >>> BufferedToeplitz(output=(0.5,), decay=(0.5,)).coefficients(4).tolist()
    [1.0, 0.5, 0.25, 0.125]

    Attributes:
        output: [buffers] the weight of each buffer, not negative.
        decay: [buffers] the factor by which each buffer fades in a round, from 0 to 1.
    """

    output: tuple[float, ...]
    decay: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.output) == len(self.decay):
            raise ValueError(
                f"{len(self.output)} outputs and {len(self.decay)} decays must be equally many "
                "and not none; give one of each for every buffer."
            )
        if min(self.output) < 0 or min(self.decay) < 0 or max(self.decay) > 1:
            raise ValueError(
                f"outputs {self.output} must not be negative and decays {self.decay} must lie "
                "between 0 and 1; take those that buffered_toeplitz.optimal returns."
            )

    def coefficients(self, rounds: int) -> Floats:
        """Returns [rounds] the first column of C."""
        column = np.ones(rounds)
        column[1:] = np.array(self.output) @ _powers(np.array(self.decay), rounds - 1)
        return column

    def divided(self, column: Floats) -> Floats:
        """Returns [rounds] C⁻¹ ``column``, in time linear in its rounds.

        The generating function of C⁻¹ is a quotient of polynomials. Above it vanishes for the
        decays, below for the eigenvalues of their diagonal matrix less √(output_i output_j).
        Both are real and take turns on the line: each pair is one filter of first order.
        """
        decay, root = np.array(self.decay), np.sqrt(self.output)
        poles = np.linalg.eigvalsh(np.diag(decay) - np.outer(root, root))
        for zero, pole in zip(np.sort(decay), poles, strict=True):
            column = deferred.signal.lfilter([1, -zero], [1, -pole], column)
        return column


def optimal(
    rounds: int, buffers: int, *, separation: int, participations: int
) -> BufferedToeplitz:
    """Returns the strategy of least error of the prefix sums at equal privacy.

    Searched for as by McMahan, Xu and Zhang (arXiv 2408.08868), with the mean squared error in
    the place of the largest: the root of what is minimised is ``toeplitz.prefix_deviation``.
    The outputs found are positive and sum to at most 1, and the decays lie in (0, 1).

    Args:
        rounds: Rounds of the run.
        buffers: Vectors of memory, from 1 to 8; above 4 little is gained.
        separation: Rounds from one participation of a device to the next, at least.
        participations: Participations of one device, at most.

    Raises:
        ValueError: ``buffers`` is not among 1 to 8.
    """
    if not 1 <= buffers <= MOST_BUFFERS:
        raise ValueError(
            f"buffers={buffers} must lie between 1 and {MOST_BUFFERS}; use 4, or the banded "
            "strategy, which spends more memory on less error."
        )

    def loss(point: Floats) -> tuple[float, Floats]:
        strategy = _at(point)
        error, error_slope = toeplitz.prefix_error(strategy.divided, rounds)
        square, square_slope = _square(
            strategy.coefficients(rounds), separation=separation, participations=participations
        )
        slope = error_slope / error + square_slope / square
        return math.log(error * square), _in_point(strategy, slope)

    # A decay next to 0 and one far from it lie in valleys of their own.
    starts = [_start(rounds, buffers, nearest=nearest) for nearest in (1.0, rounds**0.4)]
    found = [toeplitz.least(loss, start) for start in starts]
    return _at(min(found, key=lambda point: loss(point)[0]))


def _start(rounds: int, buffers: int, *, nearest: float) -> Floats:
    """[2 buffers] equal outputs, and decays that reach over ``nearest`` rounds and far more."""
    reach = np.geomspace(nearest, rounds**0.8, buffers)
    return np.concatenate(
        [np.full(buffers, -math.log(buffers)), deferred.special.logit(1 - 0.9 / reach)]
    )


def _at(point: Floats) -> BufferedToeplitz:
    """The strategy of [2 buffers] reals: a softmax with a share left over, and logits."""
    weights, logits = np.split(point, 2)
    output = deferred.special.softmax([*weights, 0.0])[:-1]
    return BufferedToeplitz(
        output=tuple(output.tolist()), decay=tuple(deferred.special.expit(logits).tolist())
    )


def _in_point(strategy: BufferedToeplitz, slope: Floats) -> Floats:
    """[2 buffers] the slope where ``_at`` makes the strategy, of [rounds] that in c."""
    output, decay = np.array(strategy.output), np.array(strategy.decay)
    powers = _powers(decay, len(slope) - 1)
    in_output = powers @ slope[1:]
    ages = np.arange(1, len(slope) - 1)
    in_decay = output * (ages * powers[:, :-1] @ slope[2:])
    return np.concatenate(
        [output * (in_output - output @ in_output), in_decay * decay * (1 - decay)]
    )


def _square(column: Floats, *, separation: int, participations: int) -> tuple[float, Floats]:
    """The squared sensitivity of a column that never increases, and its slope [rounds]."""
    apart = partial(toeplitz.overlapped, separation=separation, participations=participations)
    together = apart(column)
    return float(together @ together), 2 * apart(together[::-1])[::-1]


def _powers(decay: Floats, rounds: int) -> Floats:
    """[buffers, rounds] the powers of each decay, from 0 upwards."""
    powers: Floats = decay[:, None] ** np.arange(rounds)
    return powers
