"""A run's rounds in Flower's log, for runs that nobody watches from beside."""

import hashlib
import logging

import numpy as np

from server.observation import RoundOutcome

log = logging.getLogger("flwr.darkroom")


class Journal:
    """Writes one line for each round: counts and the released vector, nothing of a device.

    Its logger is a child of Flower's, whose level and destination the user has set.
    """

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def started(self, number: int, *, cohort: int) -> None:
        """Says nothing: a round is told of when it is over."""

    def replied(self) -> None:
        """Says nothing: single devices are nobody's business."""

    def closed(self, outcome: RoundOutcome) -> None:
        """Writes the line of one round."""
        log.info(
            "darkroom: round %d of %d %s, %d of %d updates admitted, %d declined, %d refused, "
            "%d missing, sha256 %s, norm %.6g",
            outcome.round,
            self._rounds,
            "released" if outcome.admitted else "released nothing",
            outcome.admitted,
            outcome.invited,
            outcome.declined.total(),
            outcome.refused.total(),
            outcome.missing,
            hashlib.sha256(outcome.parameters.astype("<f4").tobytes()).hexdigest(),
            np.linalg.norm(outcome.parameters.astype(np.float64)),
        )
