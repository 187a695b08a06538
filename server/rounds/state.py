"""What the next rounds go on from: all that a server remembers, and where a run is resumed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from privacy.ledger.chain import Head
from protocol.messages import Vector
from server.aggregation.optimizer import Moments

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ServerState:
    """A server between two rounds: whoever goes on from it releases what this one would have.

    Attributes:
        round: Rounds released so far.
        parameters: [trainable] what the next round starts from.
        model: [trainable] what the rounds so far came to: the parameters, or an average.
        moments: Of the optimizer.
        recent: The last parameters, of which ``model`` is the average; the oldest first.
        release: What the mechanism of the server remembers. That of correlated noise is as
            secret as the noise.
        ledger: Where the server's ledger ends; None without one.
        repeatable: Whether a later round may be drawn anew from here with fresh noise.
    """

    round: int
    parameters: Vector
    model: Vector
    moments: Moments = ()
    recent: tuple[Vector, ...] = ()
    release: Arrays = field(default_factory=dict)
    ledger: Head | None = None
    repeatable: bool = True


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Resumption:
    """Where a run goes on that ended before its time.

    Attributes:
        state: Of the last round that was kept; None to begin with the first.
        rounds: The last round.
        attempts: For each later round that was charged already, the number of its next try.
    """

    state: ServerState | None
    rounds: int
    attempts: Mapping[int, int] = field(default_factory=dict)

    @property
    def ledger(self) -> Head | None:
        """Where the server's ledger ended then; None where it had not begun."""
        return None if self.state is None else self.state.ledger


@runtime_checkable
class Resumes(Protocol):
    """A grid whose run may have ended before its time."""

    resumption: Resumption | None
