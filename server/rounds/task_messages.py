"""What each device of a cohort is sent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flwr.app import Message, MessageType, RecordDict

from protocol.codec import encode_task
from protocol.messages import Declined, DeclineReason, Task, Vector, VisitTerms
from server.rounds.admission import Admitted, Verdict
from server.rounds.directory import Directory

FIRST_ATTEMPT = 0
"""Number of a round's first attempt, as messages, ledgers and streams count them. One that was
charged and lost has the next."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RunTerms:
    """What every device is asked, in every round.

    Attributes:
        visit: The terms of a visit.
        largest_library: Public bound on the moments of a device, for the norm bound.
        frozen: [frozen] the public part that is not trained.
        digest: Its digest.
    """

    visit: VisitTerms
    largest_library: int
    frozen: Vector
    digest: str


class TaskMessages:
    """Writes the messages of a round, and remembers which devices hold the frozen part.

    The frozen part goes to every device that has not shown that it holds it: by an update,
    which cannot be made without it. A device that says that it misses it is sent it again.
    """

    def __init__(self, terms: RunTerms, directory: Directory, *, lifetime: float) -> None:
        self._terms = terms
        self._directory = directory
        self._lifetime = lifetime
        self._holders: set[int] = set()

    def messages(
        self,
        number: int,
        parameters: Vector,
        devices: Sequence[int],
        *,
        attempt: int = FIRST_ATTEMPT,
    ) -> list[Message]:
        """Returns one message for each of ``devices`` that has a node, in order.

        Each has records of its own, which its device may change; the bytes of the arrays are
        shared, for they cannot change. A message lives ``lifetime`` seconds.
        """
        task = Task(
            round=number,
            attempt=attempt,
            parameters=parameters,
            digest=self._terms.digest,
            frozen=None,
            terms=self._terms.visit,
        )
        brief = encode_task(task)
        whole = encode_task(replace(task, frozen=self._terms.frozen))
        return [
            Message(
                _own_records(brief if device in self._holders else whole),
                node,
                MessageType.TRAIN,
                ttl=self._lifetime,
                group_id=f"{number}.{attempt}",
            )
            for device in devices
            if (node := self._directory.node(device)) is not None
        ]

    def heard(self, verdict: Verdict, *, device: int | None) -> None:
        """Learns from the verdict on a reply whether ``device`` holds the frozen part."""
        if device is None:
            return
        match verdict:
            case Admitted():
                self._holders.add(device)
            case Declined(
                reason=DeclineReason.FROZEN_PART_MISSING | DeclineReason.FROZEN_PART_DIFFERS
            ):
                self._holders.discard(device)


def _own_records(content: RecordDict) -> RecordDict:
    return RecordDict({name: record.copy() for name, record in content.items()})
