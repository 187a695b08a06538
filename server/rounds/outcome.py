"""What a round came to, for observers."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from protocol.messages import DeclineReason, RefusalReason, Vector
from server.rounds.directory import Directory
from server.rounds.state import ServerState


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RoundOutcome:
    """What became of one round.

    Attributes:
        round: The round's number, from 1.
        parameters: [trainable] the model after it, read-only: the parameters, or an average.
        invited: Devices asked.
        admitted: Updates that counted.
        declined: Expected answers of devices that did not take part, by reason.
        refused: Replies refused, by reason.
        missing: Devices asked that never answered.
        participants: Numbers of all devices that may have trained: the invited ones less
            those that declined.
        released: Further figures of the release, under the same ε.
        state: Returns a copy of what the next round goes on from; None where nobody knows it.
    """

    round: int
    parameters: Vector
    invited: int
    admitted: int
    declined: Counter[DeclineReason]
    refused: Counter[RefusalReason]
    missing: int
    participants: tuple[int, ...]
    released: Mapping[str, float] = field(default_factory=dict)
    state: Callable[[], ServerState] | None = None


@runtime_checkable
class RoundObserver(Protocol):
    """Follows the rounds; the strategy reports them to a grid that is one."""

    def started(self, number: int, *, cohort: int) -> None:
        """A round began with this many devices."""
        ...

    def replied(self) -> None:
        """One device of the round is done; whoever waits for the replies says so."""
        ...

    def closed(self, outcome: RoundOutcome) -> None:
        """A round ended."""
        ...


@runtime_checkable
class KnowsDirectory(Protocol):
    """A grid that knows which node is which device, so that nobody has to ask the nodes.

    It must yield replies in the order of the messages.
    """

    directory: Directory
