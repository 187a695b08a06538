"""Integer noise that is sampled exactly: the discrete Gaussian.

Canonne, Kamath and Steinke 2020, algorithms 1 to 3, for many draws at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from privacy.noise import Stream

LARGEST = 2**26
"""Steps. Its square times 2, and times the 512 that ``_coins`` may multiply it by, is
``RANGE``: a larger deviation would leave 64 bits."""

FARTHEST = 32
"""Deviations, from which on a draw is drawn anew: less than 10^-220 of the probability. Up to
it the square of a distance is below ``RANGE``; without it a rare draw would overflow."""

SPARE_BITS = 2
"""Bits of a word of 64 that are left out, so that the rest is below ``RANGE`` and has no
sign."""

RANGE = 2**62
"""What uniform integers are below: the largest power of two in int64."""

BLOCK = 2**14
"""Draws at a time. Measured on 200,000: 2^10 at a time take three times as long, and 2^20 a
fifth less at 64 times the memory. Another number draws other noise from the same seed."""

MARGIN = 64
"""Tries beyond two for each draw; 48% of tries are accepted, so that one pass nearly always
fills a block. At 0 a single draw takes 1.4 passes on average."""

Integers = NDArray[np.int64]
Coins = NDArray[np.bool_]


def draw(size: int, *, deviation: int, stream: Stream) -> Integers:
    """Returns [size] independent integers x of probability in proportion to exp(-x²/2s²).

    Formal guarantee: with uniform words the distribution is exact. Every decision compares
    integers, all of which fit in 64 bits; there is no floating point. What lies 32 deviations
    or farther is drawn anew: less than 10^-220 of the probability. How long a draw takes
    depends on the values, so an adversary must not see the time.

    Args:
        size: Number of draws.
        deviation: The parameter s, a whole number; 0 gives zeros. The standard deviation is s
            up to 10^-6, and much closer for s above 1.
        stream: Secret words.

    Raises:
        ValueError: ``deviation`` is below 0 or above 2^26.
    """
    if not 0 <= deviation <= LARGEST:
        raise ValueError(
            f"a deviation of {deviation} steps must lie between 0 and {LARGEST}; use fewer "
            "steps per clip, or less noise."
        )
    draws = np.zeros(size, np.int64)
    for first in range(0, size if deviation else 0, BLOCK):
        _fill(draws[first : first + BLOCK], deviation=deviation, stream=stream)
    return draws


def _fill(draws: Integers, *, deviation: int, stream: Stream) -> None:
    """Fills ``draws`` with the first candidates that are accepted."""
    there = 0
    while there < draws.size:
        missing = draws.size - there
        # about one in two is accepted
        some = _accepted(2 * missing + MARGIN, deviation=deviation, stream=stream)[:missing]
        draws[there : there + some.size] = some
        there += some.size


def _accepted(count: int, *, deviation: int, stream: Stream) -> Integers:
    """Of ``count`` tries those that algorithm 3 accepts, with t = s.

    It takes any whole t. This one makes its last coin exp(-(|y| - s)²/2s²), a ratio of integers
    of 62 bits at most.
    """
    laplace = _laplace(count, scale=deviation, stream=stream)
    distance = (np.abs(laplace) - deviation) ** 2
    return laplace[_decays(distance, over=2 * deviation**2, stream=stream)]


def _laplace(count: int, *, scale: int, stream: Stream) -> Integers:
    """Of ``count`` tries those that algorithm 2 accepts, in proportion to exp(-|y|/scale)."""
    share = RANGE // scale
    part = _uniform(count, below=share * scale, stream=stream) // share
    part = part[_decays_once(part, over=scale, stream=stream)]
    whole = _geometric(part.size, stream=stream)
    size: Integers = part + scale * whole
    negative = _uniform(part.size, below=RANGE, stream=stream) % 2 == 1
    # zero has one sign only
    kept: Coins = (whole < FARTHEST) & ~(negative & (size == 0))
    size[negative] *= -1
    return size[kept]


def _geometric(count: int, *, stream: Stream) -> Integers:
    """[count] numbers of coins of probability 1/e that fall heads before one does not."""
    heads = np.zeros(count, np.int64)
    going = np.arange(count)
    while going.size:
        going = going[_decays_once(np.ones_like(going), over=1, stream=stream)]
        heads[going] += 1
    return heads


def _decays(amounts: Integers, *, over: int, stream: Stream) -> Coins:
    """[amounts] coins of probability exp(-amount/over): one for the rest, one a whole."""
    wholes, rest = np.divmod(amounts, over)
    heads = _decays_once(rest, over=over, stream=stream)
    going = np.flatnonzero(heads & (wholes > 0))
    while going.size:
        heads[going] = _decays_once(np.ones_like(going), over=1, stream=stream)
        wholes[going] -= 1
        going = going[heads[going] & (wholes[going] > 0)]
    return heads


def _decays_once(amounts: Integers, *, over: int, stream: Stream) -> Coins:
    """[amounts] coins of probability exp(-amount/over), for amounts from 0 to ``over``.

    Algorithm 1: coins of probability γ, γ/2, γ/3, … until one does not fall heads; their number
    is odd with probability exp(-γ).
    """
    odd = np.ones(amounts.size, np.bool_)
    going = np.arange(amounts.size)
    number = 1
    while going.size:
        heads = _coins(amounts[going], of=number * over, stream=stream)
        going = going[heads]
        odd[going] ^= True
        number += 1
    return odd


def _coins(amounts: Integers, *, of: int, stream: Stream) -> Coins:
    """[amounts] coins of probability amount/of."""
    # 2^62 holds ``of`` up to the 512th coin of a row, which has probability 1/512!
    share = RANGE // of
    return _uniform(amounts.size, below=share * of, stream=stream) < amounts * share


def _uniform(count: int, *, below: int, stream: Stream) -> Integers:
    """[count] uniform integers from 0 to ``below`` - 1, where that is at least 2^61."""
    draws = _words(count, stream)
    while (late := np.flatnonzero(draws >= below)).size:
        draws[late] = _words(late.size, stream)
    return draws


def _words(count: int, stream: Stream) -> Integers:
    return (stream.words(count) >> SPARE_BITS).astype(np.int64)
