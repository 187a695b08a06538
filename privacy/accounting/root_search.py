"""Where ε meets a target: secant steps between logarithms, on a grid that is fine enough.

What another constant costs was counted in computed ε, on 23 searches for noise, rounds, cohorts
and rates. With the constants as they are these take 563 quick trials and 30 of the last word.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

GIVEN_AWAY = 1.5e-3
"""Share of the answer that a coarse grid may cost. Together with ``NEARER`` it stays within the
half a percent that ``noise_search`` promises; at 1.5% tests of that promise fail."""

COARSER = (32, 16, 8, 4, 2, 1)
"""Widths to try, in fine ones, the coarsest first. On eight searches the fine width alone took
no longer (0.53 s, with these 0.61 s) and found 0.1% less noise."""

SETTLED = 0.7
"""Least share of the width in use that the fine width of the answer must have. At 1 the quick
trials are 654, with the same answers. At 0.01 a grid passes that is too coarse for its answer,
and tests that the most rounds are found fail."""

NEARER, NEAREST = 2e-3, 5e-4
"""How near the boldest value is near enough, relative: for the last word, and for the quick
bound before it. At 2% a test of the half a percent fails; at 0.02% the last word takes 46
trials. With a quick bound of 0.5% it takes 39."""

FLATTEST, STEEPEST = 0.02, 10.0
"""Slopes of ln ε in the logarithm of the value that a search learns. It ignores a flatter one,
because a step is divided by it, and cuts a steeper one. At 0 and 10 the trials are the same; at
0.02 and 2 the quick ones are 593."""

TRUSTED = 1.0
"""Largest |ln(ε / target)| of two trials from which a search learns a slope, because the curve
bends farther away. At 0 it learns none and takes 627 and 34 trials; at 100 it takes 566 and
30."""

LONGEST_STEP = math.log(4)
"""In the logarithm of a value. A value far from the answer may ask for a grid of millions of
dots. At ln 1.5 the quick trials are 627."""

MOST_TRIED = 100
"""Trials of one search, so that it ends on any curve. At 20 no test fails."""

PATIENCE = 4
"""Trials before steps double while no bracket is found. With a bracket, every fourth trial
halves it: steps along a slope would shrink it slowly round a jump. At 1 the quick trials are
841; at 1000, which is never, they are 553."""

FAR = 20.0
"""Largest |ln(ε / target)| that a search works with: an infinite ε and one of 0 count as this
far, so that numbers stay finite. At infinity no test fails, because ``LONGEST_STEP`` cuts the
step."""

MARGIN = 2e-4
"""Share of the target that stays unused, for the rounding of a long transform and for an
accountant that turns to another bound where a coarse grid does not. At 0 no quick test fails.
At 0.2% the last word takes 44 trials, and a test that a promise is used up fails."""

Bound = Callable[[float], float]
OnGrid = Callable[[float, float], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """Where to search, and what is known of ε there.

    Attributes:
        lowest: The least value.
        highest: The largest value.
        power: About how ε grows with the value: as its ``power``; below 0 where it falls.
        whole: Whether only whole numbers count.
    """

    lowest: float
    highest: float
    power: float
    whole: bool = False

    @property
    def safest(self) -> float:
        """The end where ε is least."""
        return self.highest if self.power < 0 else self.lowest

    @property
    def boldest(self) -> float:
        """The end where ε is largest."""
        return self.lowest if self.power < 0 else self.highest


def coarsest(
    found: Callable[[float, float], float], *, near: float, fine: Bound
) -> tuple[float, float]:
    """Returns an answer, and the coarsest grid on which it is nearly as on a fine one.

    Args:
        found: The answer on a grid of the given width, from a guess near it.
        near: A first guess.
        fine: The width of a fine grid for an answer, as from ``loss_grid.width``.

    Returns:
        What a grid answers, within 0.15% of what the fine one does, and its width: a multiple
        of the fine one.
    """
    finer = fine(near)
    while True:
        unit, answers = finer, {}
        for times in COARSER:
            answers[times * unit] = near = found(times * unit, near)
        finer = fine(near)
        if SETTLED * unit <= finer:
            break
    enough = (
        (answer, grid)
        for grid, answer in answers.items()
        if abs(answer - near) <= GIVEN_AWAY * near
    )
    return next(enough)


def expected(
    bound: OnGrid, target: float, within: Range, *, near: float, fine: Bound
) -> tuple[float, float]:
    """Returns where a quick bound expects the boldest value, and a grid for the last word.

    Args:
        bound: The ε of a value, by a quick accountant and a grid of the given width.
        target: The promised ε, above 0.
        within: Where to search.
        near: A first guess.
        fine: The width of a fine grid for a value, as from ``loss_grid.width``.

    Returns:
        The value, ``within.safest`` where even that breaks the promise, and a width.
    """
    nearness = 0.0 if within.whole else NEAREST

    def found(grid: float, near: float) -> float:
        kept = boldest_kept(
            lambda value: bound(value, grid),
            target * (1 - MARGIN),
            within,
            near=near,
            nearness=nearness,
        )
        return within.safest if kept is None else kept

    value, grid = coarsest(found, near=near, fine=fine)
    # Where all grids end, a coarse one may break a promise that a fine one keeps.
    return value, fine(value) if value == within.safest else grid


def boldest_kept(
    bound: Bound, target: float, within: Range, *, near: float, nearness: float = NEARER
) -> float | None:
    """Returns the value at which ε is nearly ``target``, and not above it.

    Guarantee: ``bound`` of it was found to be at most ``target``. Where that is the accountant
    that reports ε, on a grid whose width is a multiple of ``loss_grid.FINE``, every dot is one
    of the fine grid too, whose lines between its dots then lie nowhere higher: the reported ε
    is at most that. Where it is reported on a wider grid, as for cohorts at ε above 1, the
    0.02% of ``MARGIN`` stand in for this, and a test holds that they do.

    Args:
        bound: The ε of a value.
        target: The promised ε, above 0.
        within: Where to search.
        near: A first guess; where that is near enough, nothing else is tried.
        nearness: How near the boldest is near enough, relative to it; 0 tries whole numbers to
            the last.

    Returns:
        The value, or None where even ``within.safest`` breaks the promise.
    """
    search = _Search(lambda value: bound(value) / (target * (1 - MARGIN)), within)
    search.tried(near)
    search.run(nearness)
    return search.kept


class _Search:
    """Remembers the value tried last, and those nearest to the crossing on either side.

    Attributes:
        value: The value tried last.
        over: The logarithm of its ε over the target; above 0 it breaks the promise.
        power: The slope of ``over`` in the logarithm of the value, as far as known.
        kept: The boldest value that was found to keep the promise.
        broken: The safest that was found to break it.
    """

    def __init__(self, share: Bound, within: Range) -> None:
        self._share = share
        self._within = within
        self.value = self.over = math.nan
        self.power = within.power
        self.kept: float | None = None
        self.broken: float | None = None

    def tried(self, value: float) -> float:
        """Tries the value that counts nearest to ``value``; returns ``over`` there."""
        low, high = self._within.lowest, self._within.highest
        self.value = max(low, min(high, round(value) if self._within.whole else value))
        share = self._share(self.value)
        self.over = max(-FAR, min(FAR, math.log(share))) if share > 0 else -FAR
        if share <= 1:
            self.kept = self.value
        else:
            self.broken = self.value
        return self.over

    def run(self, nearness: float) -> None:
        """Goes on until a value that keeps the promise is near the boldest."""
        for count in range(1, MOST_TRIED):
            if self._ended(nearness):
                break
            value, over = self.value, self.over
            self.tried(self._next(nearness, count))
            if max(abs(over), abs(self.over)) < TRUSTED:
                self._learn((self.over - over) / math.log(self.value / value))

    def _learn(self, power: float) -> None:
        """Takes over a slope that has the right sign."""
        sign = math.copysign(1, self._within.power)
        if sign * power > FLATTEST:
            self.power = sign * min(sign * power, STEEPEST)

    def _ended(self, nearness: float) -> bool:
        if -nearness * min(abs(self.power), 1) <= self.over <= 0:
            return True
        if self.kept is None:
            return self.value == self._within.safest
        if self.broken is None:
            return self.value == self._within.boldest
        return abs(self.kept - self.broken) <= max(nearness * self.kept, self._within.whole)

    def _next(self, nearness: float, count: int) -> float:
        """A step along the slope; where that is too slow, a longer one or half the bracket."""
        step = -(nearness / 2 * min(abs(self.power), 1) + self.over) / self.power
        if self.kept is None or self.broken is None:
            return self._stepped(step * 2.0 ** max(0, count - PATIENCE))
        value = self._stepped(step)
        low, high = sorted((self.kept, self.broken))
        if count % PATIENCE == 0 or not low < value < high:
            value = math.sqrt(low * high)
        return max(low + 1, min(high - 1, round(value))) if self._within.whole else value

    def _stepped(self, step: float) -> float:
        value = self.value * math.exp(max(-LONGEST_STEP, min(LONGEST_STEP, step)))
        if self._within.whole and round(value) == self.value:
            return self.value + math.copysign(1, step)
        return value
