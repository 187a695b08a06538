"""The ε of a ledger, computed anew from its records and compared with an attack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from privacy.ledger.records import Terms
from privacy.ledger.totals import Spent
from privacy.mechanisms.base.mechanism import Mechanism
from privacy.mechanisms.registry import SAMPLERS


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinions:
    """What two accountants and an attack say of the same charges.

    Attributes:
        charges: Charges that are composed.
        pld: The ε that is reported.
        rdp: The second opinion.
        attack: The ε that an attack proves at least.
        by: What the first is found by.
    """

    charges: int
    pld: float
    rdp: float
    attack: float = 0.0
    by: str = "loss distributions"

    @property
    def agree(self) -> bool:
        """Whether the ε that is reported lies between the attack and the looser accountant.

        If not, an accountant is wrong. What is reported is the least of bounds that hold, the
        looser accountant's among them, so that no sound ledger is refused.
        """
        return self.attack <= self.pld <= self.rdp


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


def state(
    terms: Terms, spent: Spent, *, samplers: Mapping[str, type[Mechanism]] = SAMPLERS
) -> Statement:
    """Returns the ε of all that is spent, from the records alone.

    Args:
        terms: The ledger's opening.
        spent: What its records add up to; unknown charges count for every device.
        samplers: The mechanism that each sampler of a ledger names.

    Raises:
        ValueError: Same as ``opinions``.
    """
    protects_devices = terms.unit == "device"
    worst = spent.charges if protects_devices else spent.most
    return Statement(
        worst=opinions(terms, worst, samplers=samplers),
        median=None if protects_devices else opinions(terms, spent.median, samplers=samplers),
        delta=terms.delta,
        claim=terms.noise == "secure",
    )


def opinions(
    terms: Terms, charges: int, *, samplers: Mapping[str, type[Mechanism]] = SAMPLERS
) -> Opinions:
    """Returns the ε after so many charges by both accountants.

    Args:
        terms: What one charge costs.
        charges: Charges that are composed; 0 costs nothing.
        samplers: The mechanism that each sampler of a ledger names.

    Raises:
        ValueError: No accountant knows the sampler, or this relation of its neighbours.
    """
    kind = samplers.get(terms.sampler)
    if kind is None:
        known = ", ".join(sorted(samplers))
        raise ValueError(
            f"sampler '{terms.sampler}' has no accountant here, so its ε cannot be computed "
            f"anew; known are {known}: open this ledger with code {terms.code}."
        )
    if terms.relation != kind.relation:
        raise ValueError(
            f"relation '{terms.relation}' is not what sampler '{terms.sampler}' is accounted "
            f"for ('{kind.relation}'); open this ledger with code {terms.code}."
        )
    mechanism = kind.read(terms)
    return Opinions(
        charges=charges,
        pld=mechanism.epsilon(charges),
        rdp=mechanism.epsilon_rdp(charges),
        attack=mechanism.attack(charges),
        by=mechanism.by,
    )
