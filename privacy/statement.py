"""The ε of a ledger, computed anew from its records by two accountants."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from privacy import accounting, rdp
from privacy.banded_gaussian import BandedGaussian
from privacy.charge import Terms
from privacy.cohort_gaussian import CohortGaussian
from privacy.cohort_sampling import CappedPoissonSampling
from privacy.correlated_gaussian import CorrelatedGaussian
from privacy.integer_dpsgd import IntegerDpSgd
from privacy.integer_gaussian import IntegerGaussian
from privacy.local_gaussian import DIAMETER, LocalGaussian
from privacy.sampling import PoissonSampling
from privacy.spent import Spent

Accountant = Callable[[Terms, int], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Accountants:
    """Two ways to bound the ε of one sampler, which share no code.

    Attributes:
        relation: The neighbours that both speak of.
        pld: The ε after so many charges by privacy loss distributions, or in closed form: the
            one that is told.
        rdp: A looser bound on the same ε by our own Rényi accounting.
        by: What the first is found by.
    """

    relation: str
    pld: Accountant
    rdp: Accountant
    by: str = "loss distributions"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinions:
    """What two accountants say of the same charges.

    Attributes:
        charges: Charges that are composed.
        pld: The ε that is told.
        rdp: The second opinion.
        by: What the first is found by.
    """

    charges: int
    pld: float
    rdp: float
    by: str = "loss distributions"

    @property
    def agree(self) -> bool:
        """Whether the tighter accountant is at most the looser one; if not, one is wrong."""
        return self.pld <= self.rdp


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """What a ledger's records have cost.

    Attributes:
        worst: Of the device that is charged most often, or of all rounds where the unit is
            *device*.
        median: Of the middle device among those that are charged; None where the unit is
            *device*, which pays for every round alike.
        delta: The δ of every ε here.
        claim: Whether ε is a promise: the noise was secret.
    """

    worst: Opinions
    median: Opinions | None
    delta: float
    claim: bool


def _poisson_pld(terms: Terms, charges: int) -> float:
    return accounting.epsilon(
        rate=terms.rate,
        noise_multiplier=terms.noise_multiplier,
        steps=terms.steps * charges,
        delta=terms.delta,
    )


def _poisson_rdp(terms: Terms, charges: int) -> float:
    return rdp.epsilon(
        rate=terms.rate,
        noise_multiplier=terms.noise_multiplier,
        steps=terms.steps * charges,
        delta=terms.delta,
    )


def moments_in_integers(terms: Terms) -> IntegerDpSgd:
    """Returns the mechanism of a ledger whose sampler is "poisson, integers"."""
    return IntegerDpSgd(
        sampling=PoissonSampling(rate=terms.rate),
        noise_multiplier=terms.noise_multiplier,
        clip=terms.clip,
        steps=terms.steps,
        delta=terms.delta,
        grid_steps=_whole(terms, "steps in a clip"),
    )


def _moments_told(terms: Terms, charges: int) -> float:
    return moments_in_integers(terms).epsilon(charges)


def _moments_rdp(terms: Terms, charges: int) -> float:
    return moments_in_integers(terms).epsilon_rdp(charges)


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


def _capped_pld(terms: Terms, charges: int) -> float:
    return _capped(terms).epsilon(charges)


def _capped_rdp(terms: Terms, charges: int) -> float:
    return _capped(terms).epsilon_rdp(charges)


def _integers(terms: Terms) -> IntegerGaussian:
    return IntegerGaussian(
        sampling=_sampling(terms),
        noise_multiplier=terms.noise_multiplier,
        clip=terms.clip,
        delta=terms.delta,
        steps=_whole(terms, "steps in a clip"),
    )


def _integers_exact(terms: Terms, charges: int) -> float:
    return _integers(terms).epsilon(charges)


def _integers_coupled(terms: Terms, charges: int) -> float:
    return _integers(terms).epsilon_rdp(charges)


def banded(terms: Terms) -> BandedGaussian:
    """Returns the mechanism of a ledger whose sampler is "banded"."""
    return BandedGaussian(
        sampling=_sampling(terms),
        bands=_whole(terms, "bands"),
        coefficients=_coefficients(terms),
        noise_multiplier=terms.noise_multiplier,
        clip=terms.clip,
        delta=terms.delta,
    )


def _banded_pld(terms: Terms, charges: int) -> float:
    return banded(terms).epsilon(charges)


def _banded_rdp(terms: Terms, charges: int) -> float:
    return banded(terms).epsilon_rdp(charges)


def separated(terms: Terms) -> CorrelatedGaussian:
    """Returns the mechanism of a ledger whose sampler is "separated"."""
    return CorrelatedGaussian(
        noise_multiplier=terms.noise_multiplier,
        coefficients=_coefficients(terms),
        rounds=_whole(terms, "rounds"),
        separation=_whole(terms, "separation"),
        participations=_whole(terms, "participations"),
        clip=terms.clip,
        delta=terms.delta,
    )


def _separated_exact(terms: Terms, charges: int) -> float:
    return separated(terms).epsilon(charges)


def _separated_rdp(terms: Terms, charges: int) -> float:
    return separated(terms).epsilon_rdp(charges)


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


def _local_exact(terms: Terms, charges: int) -> float:
    return LocalGaussian(
        noise_multiplier=terms.noise_multiplier, clip=terms.clip, delta=terms.delta
    ).epsilon(charges)


def _local_rdp(terms: Terms, charges: int) -> float:
    # Any two updates of norm at most C differ by at most 2C.
    halved = terms.noise_multiplier / DIAMETER
    return rdp.epsilon(rate=1.0, noise_multiplier=halved, steps=charges, delta=terms.delta)


ZERO_OUT = "one device contributes nothing"
ACCOUNTANTS: Mapping[str, Accountants] = {
    "banded": Accountants(relation=ZERO_OUT, pld=_banded_pld, rdp=_banded_rdp),
    "capped poisson": Accountants(relation=ZERO_OUT, pld=_capped_pld, rdp=_capped_rdp),
    "capped poisson, integers": Accountants(
        relation=ZERO_OUT,
        pld=_integers_exact,
        rdp=_integers_coupled,
        by="divergences of integers",
    ),
    "everyone asked": Accountants(
        relation="replace one library", pld=_local_exact, rdp=_local_rdp, by="closed form"
    ),
    "poisson": Accountants(relation="add or remove one", pld=_poisson_pld, rdp=_poisson_rdp),
    "poisson, integers": Accountants(
        relation="add or remove one", pld=_moments_told, rdp=_moments_rdp
    ),
    "separated": Accountants(
        relation=ZERO_OUT, pld=_separated_exact, rdp=_separated_rdp, by="closed form"
    ),
}


def state(
    terms: Terms, spent: Spent, *, accountants: Mapping[str, Accountants] = ACCOUNTANTS
) -> Statement:
    """Returns the ε of all that is spent, from the records alone.

    Args:
        terms: The ledger's opening.
        spent: What its records add up to; unknown charges count for every device.
        accountants: By name of the sampler.

    Raises:
        ValueError: As of ``opinions``.
    """
    protects_devices = terms.unit == "device"
    worst = spent.charges if protects_devices else spent.most
    return Statement(
        worst=opinions(terms, worst, accountants=accountants),
        median=None
        if protects_devices
        else opinions(terms, spent.median, accountants=accountants),
        delta=terms.delta,
        claim=terms.noise == "secure",
    )


def opinions(
    terms: Terms, charges: int, *, accountants: Mapping[str, Accountants] = ACCOUNTANTS
) -> Opinions:
    """Returns the ε after so many charges by both accountants.

    Args:
        terms: What one charge costs.
        charges: Charges that are composed; 0 costs nothing.
        accountants: By name of the sampler.

    Raises:
        ValueError: No accountant knows the sampler, or this relation of its neighbours.
    """
    both = accountants.get(terms.sampler)
    if both is None:
        known = ", ".join(sorted(accountants))
        raise ValueError(
            f"sampler '{terms.sampler}' has no accountant here, so its ε cannot be computed "
            f"anew; known are {known}: open this ledger with code {terms.code}."
        )
    if terms.relation != both.relation:
        raise ValueError(
            f"relation '{terms.relation}' is not what sampler '{terms.sampler}' is accounted "
            f"for ('{both.relation}'); open this ledger with code {terms.code}."
        )
    return Opinions(
        charges=charges,
        pld=both.pld(terms, charges),
        rdp=both.rdp(terms, charges),
        by=both.by,
    )
