"""Who bounds the ε of each sampler: two accountants that share no code, and an attack."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from privacy.accounting import attack
from privacy.ledger.records import Terms
from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.dpsgd import DpSgd
from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.separated_gaussian import CorrelatedGaussian
from privacy.mechanisms.unions import Mechanism
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.crowds import crowds
from privacy.sampling.poisson import PoissonSampling

Accountant = Callable[[Terms, int], float]


def _nothing(_: Terms, __: int) -> float:
    return 0.0


def _told(terms: Terms, charges: int) -> float:
    return mechanism(terms).epsilon(charges)


def _renyi(terms: Terms, charges: int) -> float:
    return mechanism(terms).epsilon_rdp(charges)


@dataclass(frozen=True, kw_only=True, slots=True)
class Accountants:
    """Two ways to bound the ε of one sampler, which share no code.

    Attributes:
        relation: The neighbours that both speak of.
        pld: The ε after so many charges that is told: by privacy loss distributions, or in
            closed form, or the least of several bounds.
        rdp: A looser bound on the same ε by our own Rényi accounting.
        attack: What an attack proves of the same ε: a bound from below, 0 where none is known.
        by: What the first is found by.
    """

    relation: str
    pld: Accountant = _told
    rdp: Accountant = _renyi
    attack: Accountant = _nothing
    by: str = "loss distributions"


def _poisson(terms: Terms) -> DpSgd:
    return DpSgd(
        sampling=PoissonSampling(rate=terms.rate),
        noise_multiplier=terms.noise_multiplier,
        clip=terms.clip,
        steps=terms.steps,
        delta=terms.delta,
    )


def _poisson_attack(terms: Terms, charges: int) -> float:
    return attack.epsilon(
        rate=terms.rate,
        noise_multiplier=terms.noise_multiplier,
        steps=terms.steps * charges,
        delta=terms.delta,
    )


def _moments(terms: Terms) -> IntegerDpSgd:
    return IntegerDpSgd(
        sampling=PoissonSampling(rate=terms.rate),
        noise_multiplier=terms.noise_multiplier,
        clip=terms.clip,
        steps=terms.steps,
        delta=terms.delta,
        grid_steps=_whole(terms, "steps in a clip"),
    )


def _sampling(terms: Terms) -> CappedPoissonSampling:
    if terms.population is None or terms.cap is None:
        raise ValueError(
            f"sampler '{terms.sampler}' has neither population nor cap in this ledger; open it "
            f"with code {terms.code}."
        )
    return CappedPoissonSampling(devices=terms.population, rate=terms.rate, cap=terms.cap)


def _capped(terms: Terms) -> CohortGaussian:
    return CohortGaussian(
        sampling=_sampling(terms),
        noise_multiplier=terms.noise_multiplier,
        clip=terms.clip,
        delta=terms.delta,
    )


def _capped_attack(terms: Terms, charges: int) -> float:
    """All others send zero."""
    return attack.epsilon(
        rate=math.fsum(weight * rate for weight, rate in crowds(_sampling(terms))),
        noise_multiplier=terms.noise_multiplier,
        steps=charges,
        delta=terms.delta,
    )


def _integers(terms: Terms) -> IntegerGaussian:
    return IntegerGaussian(
        sampling=_sampling(terms),
        noise_multiplier=terms.noise_multiplier,
        clip=terms.clip,
        delta=terms.delta,
        steps=_whole(terms, "steps in a clip"),
    )


def _banded(terms: Terms) -> BandedGaussian:
    return BandedGaussian(
        sampling=_sampling(terms),
        bands=_whole(terms, "bands"),
        coefficients=_coefficients(terms),
        noise_multiplier=terms.noise_multiplier,
        clip=terms.clip,
        delta=terms.delta,
    )


def _separated(terms: Terms) -> CorrelatedGaussian:
    return CorrelatedGaussian(
        noise_multiplier=terms.noise_multiplier,
        coefficients=_coefficients(terms),
        rounds=_whole(terms, "rounds"),
        separation=_whole(terms, "separation"),
        participations=_whole(terms, "participations"),
        clip=terms.clip,
        delta=terms.delta,
    )


def _whole(terms: Terms, key: str) -> int:
    value = terms.public.get(key)
    if not isinstance(value, float | int) or value < 1 or value != int(value):
        raise ValueError(
            f"sampler '{terms.sampler}' needs a whole number 'public.{key}' from 1 in this "
            f"ledger; open it with code {terms.code}."
        )
    return int(value)


def _coefficients(terms: Terms) -> tuple[float, ...]:
    try:
        column = json.loads(str(terms.public.get("coefficients")))
        return tuple(float(value) for value in column)
    except (ValueError, TypeError) as failure:
        raise ValueError(
            f"sampler '{terms.sampler}' needs a list of numbers 'public.coefficients' in this "
            f"ledger; open it with code {terms.code}."
        ) from failure


def mechanism(terms: Terms) -> Mechanism:
    """Returns the mechanism that a ledger's terms describe.

    Raises:
        ValueError: The sampler is none that is known here, or lacks a term.
    """
    found = MECHANISMS.get(terms.sampler)
    if found is None:
        raise ValueError(
            f"sampler '{terms.sampler}' has no mechanism here; open this ledger with code "
            f"{terms.code}."
        )
    return found(terms)


def _local(terms: Terms) -> LocalGaussian:
    return LocalGaussian(
        noise_multiplier=terms.noise_multiplier, clip=terms.clip, delta=terms.delta
    )


MECHANISMS: Mapping[str, Callable[[Terms], Mechanism]] = {
    "banded": _banded,
    "capped poisson": _capped,
    "capped poisson, integers": _integers,
    "everyone asked": _local,
    "poisson": _poisson,
    "poisson, integers": _moments,
    "separated": _separated,
}
ZERO_OUT = "one device contributes nothing"
ACCOUNTANTS: Mapping[str, Accountants] = {
    "banded": Accountants(relation=ZERO_OUT),
    "capped poisson": Accountants(relation=ZERO_OUT, attack=_capped_attack),
    "capped poisson, integers": Accountants(relation=ZERO_OUT, by="divergences of integers"),
    "everyone asked": Accountants(relation="replace one library", by="closed form"),
    "poisson": Accountants(relation="add or remove one", attack=_poisson_attack),
    "poisson, integers": Accountants(relation="add or remove one"),
    "separated": Accountants(relation=ZERO_OUT, by="closed form"),
}
