"""All that a run goes on from, as one value, and the file that it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from privacy.ledger.chain import Head, LedgerError
from protocol.messages import Vector
from server.rounds.state import ServerState
from simulations.runs.checkpoints.sealed_file import DamagedError, sealed, unsealed

FORMAT = 1
"""Version of the file's facts and names. Raise it when one changes: a file of another version
is then refused in one sentence, not misread."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Counts:
    """What a run has counted since its last evaluation.

    Attributes:
        invited: Devices asked.
        admitted: Updates that counted.
        missing: Replies that never came.
        declined: Answers of devices that did not take part, by reason.
        refused: Replies refused, by reason.
        released: Further figures that the last round released.
    """

    invited: int = 0
    admitted: int = 0
    missing: int = 0
    declined: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    released: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Checkpoint:
    """A run between two rounds. What is not here follows from configuration and ledgers.

    Cohorts, coins and faults are functions of seed, round and attempt, secret ones are drawn
    afresh, and how often a device has visited stands in the ledger: no state of a generator is
    kept. Of what is kept, ``server.release`` may hold noise that later rounds take back: as
    long as the run goes on, whoever reads it can take noise off what was released.

    Attributes:
        server: The server's state.
        heads: Where the ledgers end, by unit.
        counts: Since the last evaluation.
        rows: Lines of ``metrics.jsonl``.
        judged_round: Round of the model that was judged last.
        judged: [trainable] that model.
        config: The configuration that ran, in plain data.
        code: Version of the program.
        figure: What ``checkpoint.best`` was, where this is the best; None in all others.
    """

    server: ServerState
    heads: Mapping[str, Head]
    counts: Counts
    rows: int
    judged_round: int
    judged: Vector
    config: Mapping[str, Any]
    code: str
    figure: float | None = None

    def to_bytes(self) -> bytes:
        """Returns the file."""
        server = self.server
        facts = {
            "format": FORMAT,
            "code": self.code,
            "round": server.round,
            "repeatable": server.repeatable,
            "heads": {unit: asdict(head) for unit, head in self.heads.items()},
            "counts": asdict(self.counts),
            "rows": self.rows,
            "judged_round": self.judged_round,
            "config": self.config,
            "figure": self.figure,
        }
        arrays: dict[str, NDArray[Any]] = {
            "parameters": server.parameters,
            "model": server.model,
            "judged": self.judged,
            **{f"moments.{place}": one for place, one in enumerate(server.moments)},
            **{f"recent.{place}": one for place, one in enumerate(server.recent)},
            **{f"release.{name}": one for name, one in server.release.items()},
        }
        return sealed(facts, arrays)

    @classmethod
    def of_bytes(cls, data: bytes) -> Self:
        """Returns what ``to_bytes`` wrote.

        Raises:
            DamagedError: It is not that, whole and unchanged, or of another version.
        """
        facts, arrays = unsealed(data)
        try:
            if facts["format"] != FORMAT:
                raise DamagedError("it is of another version")
            heads = {unit: Head(**head) for unit, head in facts["heads"].items()}
            return cls(
                server=ServerState(
                    round=facts["round"],
                    parameters=_frozen(arrays["parameters"]),
                    model=_frozen(arrays["model"]),
                    moments=_series(arrays, "moments"),
                    recent=_series(arrays, "recent"),
                    release=_under(arrays, "release."),
                    ledger=heads.get("device"),
                    repeatable=facts["repeatable"],
                ),
                heads=heads,
                counts=Counts(**facts["counts"]),
                rows=facts["rows"],
                judged_round=facts["judged_round"],
                judged=_frozen(arrays["judged"]),
                config=facts["config"],
                code=facts["code"],
                figure=facts["figure"],
            )
        except (KeyError, TypeError, AttributeError, LedgerError) as failure:
            raise DamagedError("it is no checkpoint of a run") from failure

    @property
    def secret(self) -> bool:
        """Whether it holds noise that can be taken off what was released."""
        return not self.server.repeatable


def _frozen(values: NDArray[Any]) -> Vector:
    if values.dtype != np.float32 or values.ndim != 1:
        raise DamagedError("its parameters are no vector of float32")
    values.flags.writeable = False
    return values


def _under(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): one
        for name, one in arrays.items()
        if name.startswith(prefix)
    }


def _series(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[NDArray[Any], ...]:
    found = _under(arrays, f"{name}.")
    return tuple(found[str(place)] for place in range(len(found)))
