"""The ε of several ledgers together: what charges of different terms cost the same unit.

Terms and numbers of charges are taken as decided before the first release. Who decides them by
what was released needs a filter instead: ``privacy.renyi_filter``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from numpy.typing import NDArray

from privacy import accounting, analytic_gaussian, rdp, renyi_conversion, statement
from privacy.charge import Terms
from privacy.cohort_sampling import CappedPoissonSampling
from privacy.local_gaussian import DIAMETER

MOST_WORST = 8
"""Distributions are composed for so many devices at most; for more, for one that pays all their
most at once: a larger ε, sooner found."""

Paid = Sequence[tuple[Terms, int]]


@dataclass(frozen=True, slots=True)
class Steps:
    """Releases that are no worse than so many steps of one Poisson-subsampled Gaussian.

    Attributes:
        rate: Probability of the unit in a step; 1 for a plain Gaussian.
        noise: Standard deviation over the sensitivity.
        times: Steps.
        overflow: How likely a cap makes them differ from that.
    """

    rate: float
    noise: float
    times: int
    overflow: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Composed:
    """Two upper bounds on the ε of one unit over several ledgers.

    Attributes:
        pld: By composed privacy loss distributions; where some terms have none, the sum of ε of
            parts at shares of δ.
        rdp: By our own Rényi accounting, likewise.
        delta: The δ of both.
        claim: Whether all noise was secret.
    """

    pld: float
    rdp: float
    delta: float
    claim: bool

    @property
    def told(self) -> float:
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
    charged = [(terms, charges) for terms, charges in paid if charges]
    known = [(one, steps_of(*one)) for one in charged]
    steps = tuple(found for _, found in known if found is not None)
    alone = [one for one, found in known if found is None]
    pld = _by_parts(steps, alone, delta)
    if math.isinf(pld):
        pld = _by_parts((), charged, delta)
    renyi = _by_parts(steps, alone, delta, second=True)
    claim = all(terms.noise == "secure" for terms, _ in paid)
    return Composed(pld=pld, rdp=renyi, delta=delta, claim=claim)


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
    listed = list(visits)
    cost = {one: composed_renyi(list(zip(terms, one, strict=True))) for one in set(listed)}
    return sorted(listed, key=cost.__getitem__)


def composed_renyi(paid: Paid) -> float:
    """Returns a quick bound: infinite where terms have no divergences here."""
    steps = [steps_of(terms, charges) for terms, charges in paid if charges]
    known = tuple(found for found in steps if found is not None)
    delta = min(terms.delta for terms, _ in paid)
    return _renyi(known, delta) if len(known) == len(steps) else math.inf


def steps_of(terms: Terms, charges: int) -> Steps | None:
    """Returns what charges cost as steps of a subsampled Gaussian; None where they are none."""
    noise = terms.noise_multiplier
    match terms.sampler:
        case "poisson":
            return Steps(terms.rate, noise, terms.steps * charges)
        case "poisson, integers":
            inside = statement.moments_in_integers(terms).accounted
            return Steps(terms.rate, inside.noise_multiplier, terms.steps * charges)
        case "everyone asked":
            # Any two updates of norm at most C differ by at most 2C.
            return Steps(1.0, noise / DIAMETER, charges)
        case "separated":
            return Steps(1.0, noise / statement.separated(terms).reach(charges), 1)
    return _of_cohorts(terms, charges)


def _of_cohorts(terms: Terms, charges: int) -> Steps | None:
    """Rounds of the server with secret cohorts: steps of Poisson's, but for what a cap cuts."""
    match terms.sampler:
        case "capped poisson" if terms.population and terms.cap:
            sampling = CappedPoissonSampling(
                devices=terms.population, rate=terms.rate, cap=terms.cap
            )
            overflow = charges * sampling.overflow
            return Steps(terms.rate, terms.noise_multiplier, charges, overflow)
        case "banded":
            band = statement.banded(terms)
            turns, inside = math.ceil(charges / band.bands), band.accounted
            overflow = turns * inside.sampling.overflow
            return Steps(inside.sampling.rate, inside.noise_multiplier, turns, overflow)
    return None


def _check_relations(terms: Sequence[Terms]) -> None:
    """A library with one moment more is another library: a bound for that covers this."""
    found = {one.relation for one in terms} - {statement.ZERO_OUT}
    mixed = len(found) < len({one.relation for one in terms}) and bool(found)
    if mixed:
        raise ValueError(
            "the noise of one run is at the server and that of another on devices: their "
            "neighbours differ, so no one ε is of both; compose them apart."
        )


def _by_parts(
    steps: tuple[Steps, ...], alone: Paid, delta: float, *, second: bool = False
) -> float:
    """What composes as one, and basic composition of the rest, each at an equal share of δ."""
    share = delta / max(1, len(alone) + bool(steps))
    rest = [
        statement.opinions(replace(terms, delta=share), charges) for terms, charges in alone
    ]
    together = _renyi(steps, share) if second else _on_grid(steps, share)
    return together + sum(one.rdp if second else one.pld for one in rest)


def _renyi(steps: tuple[Steps, ...], delta: float) -> float:
    """Rényi divergences add up, order by order."""
    if not steps:
        return 0.0
    overflow = sum(one.overflow for one in steps)
    room = delta if overflow == 0 else delta / 2
    total = sum((one.times * _of_step(one.rate, one.noise) for one in steps), np.zeros(1))
    bounds = dict(zip(rdp.ORDERS, total.tolist(), strict=True))
    found = renyi_conversion.epsilon(bounds, delta=room)
    return found if _lost(found, overflow) <= delta - room else math.inf


@lru_cache(maxsize=512)
def _of_step(rate: float, noise: float) -> NDArray[np.float64]:
    if noise == 0:
        return np.full(len(rdp.ORDERS), math.inf)
    step = np.array([rdp.step_rdp(rate, noise, order) for order in rdp.ORDERS])
    return np.where(np.isnan(step), np.inf, np.maximum(step, 0.0))


@lru_cache(maxsize=4096)
def _on_grid(steps: tuple[Steps, ...], delta: float) -> float:
    """The sum of all losses; infinite where that is not known or would fill the memory."""
    if not steps:
        return 0.0
    if any(one.noise == 0 for one in steps):
        return math.inf
    if all(one.rate == 1 for one in steps):
        squares = sum(one.times / one.noise**2 for one in steps)
        return analytic_gaussian.epsilon(1 / math.sqrt(squares), delta=delta)
    rough = _renyi(steps, delta)
    if (
        sum(one.times for one in steps) > accounting.MOST_STEPS
        or rough > accounting.LARGEST_EPSILON
    ):
        return math.inf
    overflow = sum(one.overflow for one in steps)
    found = _distributions(
        steps, delta if overflow == 0 else (1 - accounting.SPARED) * delta, rough
    )
    return found if _lost(found, overflow) <= accounting.SPARED * delta else math.inf


def _distributions(steps: tuple[Steps, ...], delta: float, rough: float) -> float:
    with accounting.quiet():
        accountant = PLDAccountant(
            # The bound holds on every grid; this one adds a few thousandths at most.
            value_discretization_interval=accounting.FINE * max(1.0, rough)
        )
        for one in steps:
            event = PoissonSampledDpEvent(one.rate, GaussianDpEvent(one.noise))
            accountant.compose(SelfComposedDpEvent(event, one.times))
        return float(accountant.get_epsilon(delta))


def _lost(epsilon: float, overflow: float) -> float:
    return accounting.lost_to_cuts(epsilon, rounds=1, overflow=overflow)
