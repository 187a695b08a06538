"""The ε of several ledgers together: what charges of different terms cost the same unit.

Terms and numbers of charges are taken as decided before the first release. Who decides them by
what was released needs a filter instead: ``privacy.statements.renyi_filter``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from privacy.accounting import analytic_gaussian, pld, rdp, renyi_conversion
from privacy.accounting.steps import Steps
from privacy.ledger.records import Terms
from privacy.losses import loss_grid, step_losses
from privacy.losses.joint_losses import JointLosses
from privacy.mechanisms.base.mechanism import CentralMechanism
from privacy.mechanisms.registry import mechanism_of

ZERO_OUT = CentralMechanism.relation

MOST_WORST = 8
"""Distributions are composed for so many devices at most; for more, for one that pays all their
most at once: a larger ε, sooner found."""

Paid = Sequence[tuple[Terms, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Composed:
    """Two upper bounds on the ε of one unit over several ledgers.

    Attributes:
        pld: By composed privacy loss distributions, or in closed form; infinity where there are
            none, or they would fill the memory.
        rdp: By our own Rényi accounting.
        delta: The δ of both.
        claim: Whether all noise was secret.
    """

    pld: float
    rdp: float
    delta: float
    claim: bool

    @property
    def reported(self) -> float:
        """The smaller one: both hold."""
        return min(self.pld, self.rdp)


def composed(paid: Paid) -> Composed:
    """Returns the ε of all charges together, at the least δ of their terms.

    Guarantee: of the sum of all losses (adaptive composition of dominating pairs, Zhu, Dong and
    Wang 2022, theorem 10), never of the worst ledger alone.

    Args:
        paid: Terms and how often they were charged.

    Raises:
        ValueError: Their neighbours differ, or a sampler has no accountant.
    """
    _check_relations([terms for terms, _ in paid])
    delta = min(terms.delta for terms, _ in paid)
    steps = tuple(steps_of(terms, charges) for terms, charges in paid if charges)
    return Composed(
        pld=_losses(steps, delta),
        rdp=_renyi(steps, delta),
        delta=delta,
        claim=all(terms.noise == "secure" for terms, _ in paid),
    )


def worst(terms: Sequence[Terms], visits: Iterable[tuple[int, ...]]) -> Composed:
    """Returns the ε that none of several devices passes.

    Args:
        terms: Of each ledger.
        visits: For each device its charges in each ledger; at least one.
    """
    highest = maximal(visits)
    if len(highest) > MOST_WORST:
        highest = [tuple(max(column) for column in zip(*highest, strict=True))]
    found = [composed(list(zip(terms, one, strict=True))) for one in highest]
    return replace(
        found[0], pld=max(one.pld for one in found), rdp=max(one.rdp for one in found)
    )


def maximal(visits: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Returns those that no other equals or exceeds everywhere: the worst is one of them."""
    kept: list[tuple[int, ...]] = []
    for one in sorted(set(visits), reverse=True):
        if not any(all(a <= b for a, b in zip(one, other, strict=True)) for other in kept):
            kept.append(one)
    return kept


def ascending(
    terms: Sequence[Terms], visits: Iterable[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Returns devices by what Rényi accounting says they cost, the cheapest first."""
    listed, delta = list(visits), min(one.delta for one in terms)

    def cost(one: tuple[int, ...]) -> float:
        paid = zip(terms, one, strict=True)
        return _renyi(tuple(steps_of(*each) for each in paid if each[1]), delta)

    costs = {one: cost(one) for one in set(listed)}
    return sorted(listed, key=costs.__getitem__)


def steps_of(terms: Terms, charges: int) -> Steps:
    """Returns what charges cost as steps of a subsampled Gaussian.

    Raises:
        ValueError: The sampler, or this relation of its neighbours, has no accountant.
    """
    found = mechanism_of(terms)
    if found.relation != terms.relation:
        raise ValueError(
            f"relation '{terms.relation}' is not what sampler '{terms.sampler}' is accounted "
            f"for; open this ledger with code {terms.code}."
        )
    return found.steps_of(charges)


def _check_relations(terms: Sequence[Terms]) -> None:
    """Refuses noise at a server beside noise on devices.

    A library with one moment more is another library, so a bound for any other covers it.
    """
    relations = {one.relation for one in terms}
    if ZERO_OUT in relations and len(relations) > 1:
        raise ValueError(
            "the noise of one run is at the server and that of another on devices: their "
            "neighbours differ, so no one ε is of both; compose them apart."
        )


def _renyi(steps: tuple[Steps, ...], delta: float) -> float:
    """Rényi divergences add up, order by order."""
    if not steps:
        return 0.0
    total = np.sum([one.divergences() for one in steps], axis=0)
    bounds = dict(zip(rdp.ORDERS, total.tolist(), strict=True))
    return renyi_conversion.epsilon(bounds, delta=delta)


@lru_cache(maxsize=4096)
def _losses(steps: tuple[Steps, ...], delta: float) -> float:
    """The least of the sum of all losses on a grid, and of one Gaussian without sampling."""
    if not steps:
        return 0.0
    if any(one.integers or one.noise < rdp.LEAST_NOISE for one in steps):
        return math.inf
    squares = sum(one.times / one.noise**2 for one in steps)
    unsampled = analytic_gaussian.epsilon(1 / math.sqrt(squares), delta=delta)
    rough = min(unsampled, _renyi(steps, delta))
    count = sum(one.times for one in steps)
    plain = all(one.unsampled for one in steps)
    if plain or rough > pld.LARGEST_EPSILON or count > pld.MOST_STEPS:
        return unsampled
    width = loss_grid.width(rough, steps=count, delta=delta)
    return min(unsampled, _on_grid(steps, delta, width))


def _on_grid(steps: tuple[Steps, ...], delta: float, width: float) -> float:
    both = [step_losses.of_crowds(one.crowds, one.noise, interval=width) for one in steps]
    widest = max(losses.interval for pair in both for losses in pair)
    if widest > width:
        return _on_grid(steps, delta, widest)
    times = [one.times for one in steps]
    found = max(
        JointLosses([(pair[way], n) for pair, n in zip(both, times, strict=True)]).epsilon(
            delta=delta
        )
        for way in (0, 1)
    )
    return found * step_losses.ROUND_UP + step_losses.ROUNDING * sum(times)
