"""What became of the replies of one round."""

from collections import Counter
from collections.abc import Mapping, Sequence

from protocol.messages import Declined, DeclineReason, RefusalReason, Vector
from server.rounds.admission import Admitted, Refused, Verdict
from server.rounds.outcome import RoundOutcome

NOTHING: Mapping[str, float] = {}


class ReplyCounts:
    """Counts verdicts, each under its reason.

    Attributes:
        answered: Devices of the cohort whose answer was judged.
    """

    def __init__(self, cohort: Sequence[int]) -> None:
        self.answered: set[int] = set()
        self._cohort = cohort
        self._admitted = 0
        self._declined: Counter[DeclineReason] = Counter()
        self._refused: Counter[RefusalReason] = Counter()
        self._absent: set[int] = set()

    def count(self, verdict: Verdict, *, sender: int | None) -> None:
        """Counts one verdict on a reply of ``sender``."""
        match verdict:
            case Admitted():
                self._admitted += 1
            case Refused(reason=reason):
                self._refused[reason] += 1
            case Declined(reason=decline):
                self._declined[decline] += 1
        if sender is None or verdict == Refused(RefusalReason.UNKNOWN_SENDER):
            return
        self.answered.add(sender)
        if isinstance(verdict, Declined):
            self._absent.add(sender)

    def outcome(
        self, number: int, *, parameters: Vector, released: Mapping[str, float] = NOTHING
    ) -> RoundOutcome:
        """Returns the round's outcome; ``parameters`` are those after it."""
        return RoundOutcome(
            round=number,
            parameters=parameters,
            invited=len(self._cohort),
            admitted=self._admitted,
            declined=self._declined,
            refused=self._refused,
            missing=len(self._cohort) - len(self.answered),
            participants=tuple(d for d in self._cohort if d not in self._absent),
            released=released,
        )
