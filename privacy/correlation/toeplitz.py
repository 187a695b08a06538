"""Lower-triangular Toeplitz strategies: how the noise of one round takes back that of others.

A strategy is a matrix C whose column t holds the coefficients c from row t on. What is released
is C x + Z, with x the rounds' sums and Z independent noise; that is x + C⁻¹ Z by another name,
so the noise of a round is a row of C⁻¹ Z. Coefficients past the last one given are zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from privacy import deferred

ONE = np.ones(1)
"""The coefficients of independent noise."""

MOST_STEPS = 10_000
"""Steps of L-BFGS, so that a search ends. Nine measured searches took 8 to 297."""

MEMORY = 50
"""Past steps from which L-BFGS learns the curvature. With 5 buffered strategies of 4 and 8
buffers take up to 3.7 times as many steps, with 100 as many; all find the same error in nine
digits."""

Floats = NDArray[np.float64]
Division = Callable[[Floats], Floats]


def inverse(coefficients: Floats, rounds: int) -> Floats:
    """Returns [rounds] the coefficients of C⁻¹, which is a Toeplitz matrix too.

    >>> inverse(np.array([1.0, 0.5]), 4).tolist()
    [1.0, -0.5, 0.25, -0.125]
    """
    return divided_by(coefficients)(np.eye(1, rounds)[0])


def square_root(bands: int) -> Floats:
    """Returns [bands] the first coefficients of (1 - x)^(-1/2), from 1 downwards.

    The banded square root of Kalinin and Lampert (arXiv 2405.13763), which needs no search:
    c_t = Π_(i ≤ t) (1 - 1/2i).

    >>> square_root(3).tolist()
    [1.0, 0.5, 0.375]
    """
    ratios = 1 - 0.5 / np.arange(1, bands)
    return np.concatenate([ONE, np.cumprod(ratios)])


def optimal(rounds: int, bands: int) -> Floats:
    """Returns [bands] the coefficients of least ``mean_loss``, as a column of unit norm.

    Banded matrix factorisation (Choquette-Choo et al., arXiv 2306.08153) within the Toeplitz
    matrices. Devices that keep ``bands`` rounds apart meet columns without a common row, so it
    is the best for them whatever their number of participations.

    Args:
        rounds: Rounds of the run.
        bands: Coefficients, from 1 (independent noise) to ``rounds``.

    Raises:
        ValueError: ``bands`` is not among 1 to ``rounds``.
    """
    if not 1 <= bands <= rounds:
        raise ValueError(
            f"bands={bands} must lie between 1 and the {rounds} rounds; lower it, "
            "or train for longer."
        )

    def loss(column: Floats) -> tuple[float, Floats]:
        error, slope = prefix_error(divided_by(column), rounds)
        square = float(column @ column)
        return math.log(error * square), slope[:bands] / error + 2 * column / square

    found = least(loss, square_root(bands))
    unit: Floats = found / np.linalg.norm(found)
    return unit


def mean_loss(coefficients: Floats, rounds: int) -> float:
    """Returns the mean variance of the prefix sums, for a device that takes part once.

    Mean over the rounds of the squared error of Σ x, at noise of standard deviation ‖c‖: the
    same for any multiple of ``coefficients``. Independent noise has (rounds + 1) / 2.

    >>> round(mean_loss(ONE, 3), 9)
    2.0
    """
    error, _ = prefix_error(divided_by(coefficients), rounds)
    return error * float(coefficients @ coefficients)


def root_error(coefficients: Floats, rounds: int) -> float:
    """Returns the root mean squared error of the prefix sums of C⁻¹ Z, at Z of deviation 1."""
    error, _ = prefix_error(divided_by(coefficients), rounds)
    return math.sqrt(error)


def prefix_deviation(
    coefficients: Floats, rounds: int, *, separation: int, participations: int
) -> float:
    """Returns the root mean squared error of the prefix sums at noise of one sensitivity.

    Strategies compared by this number are compared at equal privacy. Its unit is the clip times
    the noise multiplier. By hand, independent noise and three participations in three rounds:
    √2 for the error times √3 for the sensitivity.

    >>> round(prefix_deviation(ONE, 3, separation=1, participations=3), 6)
    2.44949
    """
    return root_error(coefficients, rounds) * sensitivity(
        coefficients, rounds, separation=separation, participations=participations
    )


def sensitivity(
    coefficients: Floats, rounds: int, *, separation: int, participations: int
) -> float:
    """Returns how far one device can move C x, in units of the clip; never too little.

    Over all devices that take part at most ``participations`` times, at least ``separation``
    rounds apart, with any update of norm at most 1 each time. It is exact where there are no
    more than ``separation`` coefficients, for then no two columns share a row, and where they
    are non-negative and never increase: the worst device comes in round 0 and then as early as
    it may (Theorem 2 of arXiv 2405.13763). Elsewhere it is that of the least such coefficients
    that are nowhere smaller in size, which is an upper bound.

    ‖c + c shifted by the separation + …‖, one copy for each participation. By hand, (1, ½) in
    rounds 0 and 2 of 4: √(2 · 1¼).

    >>> round(sensitivity(np.array([1.0, 0.5]), 4, separation=2, participations=2), 6)
    1.581139

    Args:
        coefficients: [any number] the first column of C.
        rounds: Rounds of the run.
        separation: Rounds from one participation to the next, at least.
        participations: Participations of one device, at most.

    Raises:
        ValueError: A number of rounds or participations is below 1.
    """
    if min(rounds, separation, participations) < 1:
        raise ValueError(
            f"rounds={rounds}, separation={separation} and participations={participations} "
            "must be at least 1; a run without any of them needs no noise."
        )
    sizes = np.abs(coefficients)
    if len(sizes) > separation:
        sizes = np.maximum.accumulate(sizes[::-1])[::-1]
    column = np.zeros(rounds)
    column[: len(sizes)] = sizes[:rounds]
    together = overlapped(column, separation=separation, participations=participations)
    return float(np.linalg.norm(together))


def overlapped(column: Floats, *, separation: int, participations: int) -> Floats:
    """Returns [rounds] the sum of ``column`` [rounds] and its copies ``separation`` apart.

    >>> overlapped(np.array([1.0, 0.5, 0.25]), separation=2, participations=2).tolist()
    [1.0, 0.5, 1.25]
    """
    total = np.zeros_like(column)
    for start in range(0, len(column), separation)[:participations]:
        total[start:] += column[: len(column) - start]
    return total


def divided_by(coefficients: Floats) -> Division:
    """Returns what takes [rounds] v to [rounds] C⁻¹ v."""
    return partial(deferred.signal.lfilter, ONE, coefficients)


def prefix_error(divided: Division, rounds: int) -> tuple[float, Floats]:
    """Returns the mean squared error of the prefix sums and its slope in every coefficient.

    The prefix sums of C⁻¹ Z are B Z, with B the Toeplitz matrix of b = C⁻¹ 1, whose row t has
    the squared norm b₀² + … + b_t². The slope goes through the adjoint of b: a transposed
    Toeplitz matrix is the same one with time reversed.

    Args:
        divided: Takes v to C⁻¹ v.
        rounds: Rounds of the run.

    Returns:
        The error at noise of deviation 1, and its slope [rounds].
    """
    prefix = divided(np.ones(rounds))
    shares = np.arange(rounds, 0, -1) / rounds
    backwards = divided(divided(2 * (shares * prefix)[::-1]))
    return float(shares @ prefix**2), -np.cumsum(backwards)[::-1]


def least(loss: Callable[[Floats], tuple[float, Floats]], start: Floats) -> Floats:
    """Returns where L-BFGS finds the least of a loss that comes with its gradient."""
    found = deferred.optimize.minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MOST_STEPS, "maxcor": MEMORY, "ftol": 1e-16, "gtol": 1e-11},
    )
    place: Floats = found.x
    return place
