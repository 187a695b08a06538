"""What the run has cost in privacy so far, for each unit, as it ran."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_high
from typing import Protocol

from privacy.ledger.totals import Spent
from privacy.mechanisms.base.mechanism import Mechanism
from privacy.protection.derivation import Protection


@dataclass(frozen=True, kw_only=True, slots=True)
class EpsilonSpent:
    """The ε of one unit at one moment of a run.

    Attributes:
        worst: Of the device that took part most often.
        median: Of the middle device among those that took part; the larger one of two.
        ceiling: Of a device that takes part as often as it ever may.
        delta: The δ of all three.
        claim: Whether it is a promise: the draws were secret.
    """

    worst: float
    median: float
    ceiling: float
    delta: float
    claim: bool

    def plain(self) -> dict[str, float | bool | str]:
        """Returns it as JSON has it; an ε without bound is the word "infinity"."""
        return {
            "worst": _told(self.worst),
            "median": _told(self.median),
            "ceiling": _told(self.ceiling),
            "delta": self.delta,
            "claim": self.claim,
        }


def _told(epsilon: float) -> float | str:
    return epsilon if epsilon < float("inf") else "infinity"


class Spending(Protocol):
    """Follows what one unit has cost."""

    def charge(self, devices: Iterable[int]) -> None:
        """Counts a round in which ``devices`` may have trained, whatever their replies."""
        ...

    def follow(self, spent: Spent) -> None:
        """Goes on from what a ledger says, and forgets what was counted here."""
        ...

    def spent(self) -> EpsilonSpent:
        """Returns the ε so far."""
        ...


class RoundSpending:
    """Counts rounds: where the server adds the noise, every device pays for every round."""

    def __init__(self, mechanism: Mechanism, *, rounds: int, claim: bool) -> None:
        self._mechanism = mechanism
        self._rounds = rounds
        self._claim = claim
        self._ran = 0

    def charge(self, devices: Iterable[int]) -> None:
        """Counts a round: an empty one released noise and is charged too."""
        self._ran += 1

    def follow(self, spent: Spent) -> None:
        """Goes on from the charges of a ledger, each of which is a round."""
        self._ran = spent.charges

    def spent(self) -> EpsilonSpent:
        """Returns the ε so far."""
        found = self._mechanism.epsilon(self._ran)
        return EpsilonSpent(
            worst=found,
            median=found,
            ceiling=self._mechanism.epsilon(self._rounds),
            delta=self._mechanism.delta,
            claim=self._claim,
        )


class VisitSpending:
    """Counts who took part; a device's ε differs from another's by nothing else."""

    def __init__(self, mechanism: Mechanism, *, max_participations: int, claim: bool) -> None:
        self._mechanism = mechanism
        self._claim = claim
        self._max_participations = max_participations
        self._visits: Counter[int] = Counter()
        self._unknown = 0

    def charge(self, devices: Iterable[int]) -> None:
        """Counts one visit of each of ``devices``, whatever became of its reply."""
        self._visits.update(devices)

    def follow(self, spent: Spent) -> None:
        """Goes on from the visits of a ledger; what is torn counts for every device."""
        self._visits, self._unknown = Counter(spent.visits), spent.unknown

    def spent(self) -> EpsilonSpent:
        """Returns the ε so far.

        A device whose replies were lost may be counted too often, but it declines by its own
        count, so no device has more than ``max_participations`` visits.
        """
        most = self._max_participations
        visits = [min(one, most) + self._unknown for one in self._visits.values()]
        visits = visits or [self._unknown]
        return EpsilonSpent(
            worst=self._mechanism.epsilon(max(visits)),
            median=self._mechanism.epsilon(median_high(visits)),
            ceiling=self._mechanism.epsilon(most),
            delta=self._mechanism.delta,
            claim=self._claim,
        )


def spending(protection: Protection) -> dict[str, Spending]:
    """Returns what follows the ε of every unit that is protected, by its name."""
    return {
        unit: VisitSpending(one.mechanism, max_participations=one.times, claim=protection.claim)
        if one.release is None
        else RoundSpending(one.mechanism, rounds=one.times, claim=protection.claim)
        for unit, one in protection.units.items()
    }
