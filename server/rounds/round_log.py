"""A run's rounds in Flower's log, where nothing else shows them."""

import hashlib
import logging
from collections.abc import Mapping

import numpy as np

from protocol.messages import DeclineReason, RefusalReason, Vector
from server.rounds.outcome import RoundOutcome

log = logging.getLogger("flwr.darkroom")


class RoundLog:
    """Writes one line for each round: what was released, and nothing of a device.

    Where whole devices are protected, nothing is counted either: how many came is outside their
    ε. Its logger is a child of Flower's, whose level and destination the user has set.
    """

    def __init__(self, rounds: int, *, counts: bool = True) -> None:
        """Begins before the first round.

        Args:
            rounds: Rounds of the run.
            counts: Whether the log may say how many updates came.
        """
        self._rounds = rounds
        self._counts = counts

    def promised_moments(
        self, epsilon: float, *, delta: float, visits: int, claim: bool
    ) -> None:
        """Writes what the run promises for each moment, by its configuration alone."""
        words = "darkroom: ε ≤ %.4g at δ = %g for each moment, of a device with all %d visits%s"
        but = "" if claim else "; no claim, for the noise is not secret"
        log.info(words, epsilon, delta, visits, but)

    def promised(self, epsilon: float, *, delta: float, ledger: bool) -> None:
        """Writes what the run promises for whole devices, and whether a ledger is kept."""
        log.info("darkroom: ε ≤ %.4g at δ = %g for each device's whole library", epsilon, delta)
        if not ledger:
            log.warning("darkroom: no ledger is kept: name a folder, ledger=DIR, to have one")

    def started(self, number: int, *, cohort: int) -> None:
        """Logs nothing: a round is logged when it is over."""

    def replied(self) -> None:
        """Says nothing: single devices are nobody's business."""

    def closed(self, outcome: RoundOutcome) -> None:
        """Writes the line of one round."""
        said = [
            f"round {outcome.round} of {self._rounds} {self._released(outcome)}",
            *(_counted(outcome) if self._counts else []),
            *(f"{name} {value:.4g}" for name, value in outcome.released.items()),
            *_vector(outcome.parameters),
        ]
        log.info("darkroom: %s", ", ".join(said))

    def _released(self, outcome: RoundOutcome) -> str:
        """Protected rounds release noise also where nobody came."""
        return "released" if outcome.admitted or not self._counts else "released nothing"


def _counted(outcome: RoundOutcome) -> list[str]:
    return [
        f"{outcome.admitted} of {outcome.invited} updates admitted",
        f"{outcome.declined.total()} declined{_reasons(outcome.declined)}",
        f"{outcome.refused.total()} refused{_reasons(outcome.refused)}",
        f"{outcome.missing} missing",
    ]


def _reasons(counted: Mapping[DeclineReason, int] | Mapping[RefusalReason, int]) -> str:
    """The reasons are words of the protocol, never of a device."""
    found = "; ".join(sorted(f"{count} × {reason}" for reason, count in counted.items()))
    return f" ({found})" if found else ""


def _vector(parameters: Vector) -> list[str]:
    digest = hashlib.sha256(parameters.astype("<f4").tobytes()).hexdigest()
    return [f"sha256 {digest}", f"norm {np.linalg.norm(parameters.astype(np.float64)):.6g}"]
