"""Where ε meets a target: secant steps between logarithms, on ever finer grids."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from privacy.accounting import FINE

SHARE, SHARE_OF_FEW = 0.2, 4e-3
MANY = 16
FINER = 4
LEFT_OVER = 0.1
NEAR, NEARER = 2e-2, 2e-3
FLATTEST, STEEPEST = 0.02, 10.0
TRUSTED = 1.0
LONGEST_STEP = math.log(4)
MOST_TRIED = 100
PATIENCE = 4
FAR = 20.0
MARGIN = 2e-4
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


def width(epsilon: float, *, steps: int, delta: float) -> float:
    """Returns the width of a first grid of privacy losses, the coarsest to begin with.

    A grid whose dots are connected (Doroshenko et al., arXiv 2207.04380) adds about width²/6 to
    the variance of a step's loss and half of that to its mean, and ε is about the mean and
    √(2 ln 1/δ) deviations: by this rule it adds 20% to ε, and one a quarter as wide a sixteenth
    of that. Where few take part it adds far less. After few steps ε may chance to lie on a dot,
    where nothing is added, and tell nothing of other values: then the rule is for 0.4%.

    Args:
        epsilon: About the ε that will be found, above 0.
        steps: Composed steps.
        delta: The δ of the guarantee.
    """
    share = SHARE if steps >= MANY else SHARE_OF_FEW
    spread = 1 + 2 * math.log(1 / delta) / epsilon
    return _multiple(math.sqrt(12 * share * epsilon / (steps * spread)))


def boldest_kept(
    bound: OnGrid, target: float, within: Range, *, near: float, grid: float
) -> float | None:
    """Returns the value at which ε is nearly ``target``, and not above it.

    Guarantee: ``bound`` of it was found to be at most ``target``, on a grid whose width is a
    multiple of ``accounting.FINE``. Every dot of such a grid is one of the fine grid too, whose
    lines between its dots then lie nowhere higher: the ε that is told is at most that.

    The value is within 0.5% of the boldest, or it is ``within.boldest``. Whole numbers are
    tried to the last. A grid gives way to one a quarter as wide until that gains next to
    nothing, so that most values are tried where it is quick.

    Args:
        bound: The ε of a value, by a grid of privacy losses of the given width.
        target: The promised ε, above 0.
        within: Where to search.
        near: A first guess.
        grid: Width of the first grid, as from ``width``.

    Returns:
        The value, or None where even ``within.safest`` breaks the promise.
    """
    before, value, power = FAR, near, within.power
    while True:
        search = _Search(partial(_share, bound, target, grid), within, power=power)
        gain = before - search.tried(value)
        last = grid == FINE or LEFT_OVER * gain <= NEARER * abs(power)
        search.run(_nearness(within, last=last))
        if last or search.kept == within.boldest:
            return search.kept
        before, value, power = search.over, search.value, search.power
        grid = _multiple(grid / FINER)


def settled(bound: Bound, *, grid: float) -> float:
    """Returns an ε of which a finer grid would take away about 0.2% at most.

    Args:
        bound: The ε by a grid of privacy losses of the given width.
        grid: Width of the first grid, as from ``width``.
    """
    before = math.inf
    while True:
        found = bound(grid)
        if grid == FINE or LEFT_OVER * (before - found) <= NEARER * found:
            return found
        before, grid = found, _multiple(grid / FINER)


def roughly_kept(bound: Bound, target: float, within: Range, *, near: float) -> float | None:
    """Returns what ``boldest_kept`` does, where ``bound`` is quick and to 2% enough."""
    search = _Search(lambda value: bound(value) / target, within, power=within.power)
    search.tried(near)
    search.run(NEAR)
    return search.kept


def _share(bound: OnGrid, target: float, grid: float, value: float) -> float:
    # A little less than the target, for what the rounding of a long transform may add, and for
    # an accountant that turns to another bound where this grid does not.
    return bound(value, grid) / (target * (1 - MARGIN))


def _multiple(width: float) -> float:
    """The multiple of the fine width next below, or the fine width."""
    return FINE * max(1, math.floor(width / FINE))


def _nearness(within: Range, *, last: bool) -> float:
    """How near the boldest is near enough, relative to it; 0 tries whole numbers one by one."""
    if not last:
        return NEAR
    return 0.0 if within.whole else NEARER


class _Search:
    """Remembers the value tried last, and those nearest to the crossing on either side.

    Attributes:
        value: The value tried last.
        over: The logarithm of its ε over the target; above 0 it breaks the promise.
        power: The slope of ``over`` in the logarithm of the value, as far as known.
        kept: The boldest value that was found to keep the promise.
        broken: The safest that was found to break it.
    """

    def __init__(self, share: Bound, within: Range, *, power: float) -> None:
        self._share = share
        self._within = within
        self.value = self.over = math.nan
        self.power = power
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
        if -nearness * abs(self.power) <= self.over <= 0:
            return True
        if self.kept is None:
            return self.value == self._within.safest
        if self.broken is None:
            return self.value == self._within.boldest
        return abs(self.kept - self.broken) <= max(nearness * self.kept, self._within.whole)

    def _next(self, nearness: float, count: int) -> float:
        """A step along the slope; where that is too slow, a longer one or half the bracket."""
        step = -(nearness / 2 * abs(self.power) + self.over) / self.power
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
