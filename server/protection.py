"""What the server does for the unit *device*, and where its secret draws come from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from privacy.charge import Charge, Noise
from privacy.cohort_gaussian import CohortGaussian
from privacy.ledger import Ledger
from privacy.noise import SecureSource, SeededSource, Source
from server.ledger_terms import cohort_terms
from server.unit_device import Mechanism


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """A mechanism of the server and its randomness.

    Attributes:
        mechanism: What is added up, noised and accounted.
        ledger: Charged before a round's sum is released; None where nobody keeps one.
        source: Secret draws of a round and attempt; a new attempt draws afresh.
    """

    mechanism: CohortGaussian
    source: Callable[[int, int], Source]
    ledger: Ledger | None

    def charge(self, number: int, attempt: int) -> None:
        """Records a round; only when this returns may its sum leave.

        Raises:
            LedgerError: It could not be written: nothing may be released.
        """
        if self.ledger is not None:
            charge = Charge(round=number, attempt=attempt, devices=(), what="update")
            self.ledger.charge([charge])

    def close(self) -> None:
        """Lets another process open the ledger."""
        if self.ledger is not None:
            self.ledger.close()


def protection(
    chosen: Mechanism | None, *, seed: int, noise: Noise, folder: str
) -> Protection | None:
    """Returns what the server does for ``chosen``; None where devices do all or nothing.

    Args:
        chosen: The mechanism of the unit device.
        seed: The run's seed, from which the draws follow where ``noise`` is not ``secure``.
        noise: Source of the secret draws.
        folder: Where the ledger of the unit device begins; empty for none.

    Raises:
        LedgerError: There is one already, or the folder cannot hold it.
    """
    if not isinstance(chosen, CohortGaussian):
        return None

    def source(number: int, attempt: int) -> Source:
        if noise == "secure":
            return SecureSource()
        return SeededSource(seed, "server", "round", number, "attempt", attempt)

    ledger = None
    if folder:
        terms = cohort_terms(chosen, noise=noise)
        ledger = Ledger.create(Path(folder), "device", terms=terms)
    return Protection(mechanism=chosen, source=source, ledger=ledger)
