"""The privacy card: for each unit who is kept from what, by how much, and in which words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from privacy.ledger.chain import examine
from privacy.mechanisms.base.unit_settings import Extrapolated, Protected
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.protection.derivation import Protection
from privacy.statements import profile
from privacy.statements.group import library_epsilon
from privacy.statements.profile import Profile
from simulations.formats import epsilon_text
from simulations.privacy.spending import EpsilonSpent

MEANINGFUL = 20.0
"""ε up to which a bound says anything: beyond it an answer may be e^20 times as likely, 485
million. Without it the card would print a figure as if it were a promise."""

# Shares are shown in tenths of a percent.
PERMILLE = 1000
PROTECTS = {"example": "each moment of a device", "device": "each device's whole library"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Guarantee:
    """What a run promises for one unit, before it runs.

    Attributes:
        unit: ``example`` or ``device``.
        protects: The unit in words.
        question: What an attack guesses, after "whether".
        adversary: Whom it holds against.
        neighbours: Which two libraries or populations cannot be told apart.
        when: How much of the run ``epsilon`` counts.
        noise: Where the noise is added, and how much.
        epsilon: The most that any device pays: the least of the bounds that hold.
        second: A second bound on the same ε by Rényi accounting; None in closed form.
        delta: The δ of both.
        claim: Whether the draws are secret; no promise without.
        remarks: What else must be said with it.
        profile: δ at other ε, and how often a guess is right; None where ε is infinite.
        extrapolated: The ε that the larger federation would have whose noise this run takes;
            None where none is assumed. It is not of this run.
    """

    unit: str
    protects: str
    question: str
    adversary: str
    neighbours: str
    when: str
    noise: str
    epsilon: float
    second: float | None
    delta: float
    claim: bool
    profile: Profile | None
    remarks: tuple[str, ...] = ()
    extrapolated: float | None = None


def promises(protection: Protection, *, moments: int) -> list[Guarantee]:
    """Returns the promise of every unit that is protected.

    Args:
        protection: What protects the run.
        moments: Moments of a usual library, which are hidden together or not at all.
    """
    return [
        _promise(one, protection, remarks=_library(one, moments=moments))
        for one in protection.units.values()
    ]


def lines(promise: Guarantee) -> list[str]:
    """Returns a promise in words that need no other page."""
    if math.isinf(promise.epsilon):
        return [f"no bound for {promise.protects}: {promise.noise}"]
    said = [
        f"ε ≤ {epsilon_text(promise.epsilon)} at δ = {promise.delta:g} for {promise.protects},",
        f"{promise.when}, against anyone who sees",
        promise.adversary,
        promise.noise,
        *_profiled(promise),
        *promise.remarks,
    ]
    if not promise.claim:
        said.append("the noise follows from the seed: this ε is not a claim")
    return said


def _profiled(promise: Guarantee) -> list[str]:
    """What the profile says of an attack, rounded up."""
    if promise.profile is None:
        return []
    right = math.ceil(PERMILLE * promise.profile.right) / PERMILLE
    said = [f"a guess whether {promise.question}: right at most {right:.1%} of the time"]
    points = [f"{_up(delta)} at {epsilon:g}" for epsilon, delta in promise.profile.points[1:-1]]
    return [*said, f"δ at smaller ε: {', '.join(points)}"] if points else said


def _up(delta: float) -> str:
    """A δ in two digits, rounded up."""
    place = 1 - math.floor(math.log10(delta))
    return f"{math.ceil(delta * 10.0**place) / 10.0**place:.2g}"


def plain(
    promised: Sequence[Guarantee], *, as_it_ran: Mapping[str, EpsilonSpent], ledger: Path
) -> dict[str, dict[str, Any]]:
    """Returns the card as JSON has it: the promises, the ε of what ran, the ledger's head.

    Args:
        promised: The promise of every unit.
        as_it_ran: The ε of each unit.
        ledger: Folder of the ledgers.
    """
    cards = {}
    for promise in promised:
        card = {name: _plain(value) for name, value in asdict(promise).items()}
        ran = as_it_ran.get(promise.unit)
        cards[promise.unit] = {
            **card,
            "as_it_ran": ran.plain() if ran else None,
            "ledger": _head(ledger, promise.unit),
        }
    return cards


def _head(ledger: Path, unit: str) -> dict[str, Any] | None:
    """The head of a unit's ledger: kept here too, so that whoever rewrites one is found."""
    if not (ledger / f"{unit}.jsonl").exists():
        return None
    return asdict(examine(ledger, unit).end)


def _plain(value: Any) -> Any:
    return "infinity" if isinstance(value, float) and math.isinf(value) else value


def _promise(
    protected: Protected, protection: Protection, *, remarks: tuple[str, ...]
) -> Guarantee:
    chosen, times = protected.mechanism, protected.times
    larger = protected.extrapolated
    return Guarantee(
        unit=chosen.unit,
        protects=PROTECTS[chosen.unit],
        question=chosen.question,
        adversary=chosen.adversary,
        neighbours=chosen.neighbours,
        when=chosen.when(times),
        noise=chosen.in_words(),
        epsilon=chosen.epsilon(times),
        second=chosen.second_opinion(times),
        delta=chosen.delta,
        claim=protection.claim,
        profile=profile.of(chosen, times),
        remarks=(
            *remarks,
            *chosen.remarks(),
            *protected.remarks,
            *_larger(larger, times),
        ),
        extrapolated=None if larger is None else larger.mechanism.epsilon(times),
    )


def _library(protected: Protected, *, moments: int) -> tuple[str, ...]:
    """What a promise for a moment is worth to all moments of a library together."""
    of_moments = protected.mechanism.sampled
    if not isinstance(of_moments, DpSgd):
        return ()
    found = library_epsilon(of_moments, moments=moments, participations=protected.times)
    worth = "" if found <= MEANINGFUL else ", in effect no promise"
    return (f"for {moments} moments together, as a group: ε ≤ {found:.3g}{worth}",)


def _larger(larger: Extrapolated | None, rounds: int) -> tuple[str, ...]:
    if larger is None:
        return ()
    chosen = larger.mechanism
    return (
        f"extrapolated, not of this run: ε ≤ {epsilon_text(chosen.epsilon(rounds))} at "
        f"δ = {chosen.delta:.1g}",
        f"for cohorts of {larger.cohort:g} of {larger.devices} devices, with this noise on "
        "their mean",
    )
