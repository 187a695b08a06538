"""The ledger of a run that goes on: what was charged and lost is charged again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from privacy.ledger.chain import (
    WAY_OUT,
    Examination,
    Files,
    Head,
    LedgerError,
    Line,
    examine,
)
from privacy.ledger.disk import DISK, Disk
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, Terms


class RepeatedLedger(Ledger):
    """A ledger whose last charges are made a second time, for the very same bits.

    Under ``insecure_seeded`` noise a round that is run again releases what it released before,
    bit for bit. Who has seen it learns nothing more, so a charge that stands there pays for it:
    each once, and only where round, attempt, devices and goods are the same. All others are
    charged. Under secure noise a second try draws afresh, and nothing is paid for.
    """

    _repeated: Counter[Charge]

    def repeats(self, charges: Iterable[Charge]) -> None:
        """Takes ``charges``, which stand in the ledger, for those of rounds to be repeated."""
        self._repeated = Counter(charges)

    def charge(self, charges: Sequence[Charge]) -> None:
        """Same as of ``Ledger``, for those that are not paid."""
        super().charge([charge for charge in charges if not self._is_paid(charge)])

    def _is_paid(self, charge: Charge) -> bool:
        paid = self._repeated[charge] > 0
        self._repeated[charge] -= paid
        return paid


def resumed_ledger(
    folder: Path, name: str, *, terms: Terms, kept: Head | None, disk: Disk = DISK
) -> Ledger:
    """Opens the ledger of a run that goes on after the rounds that it had at ``kept``.

    Args:
        folder: Where the ledger is.
        name: What its files are called.
        terms: What a charge costs as the run goes on.
        kept: Its head in the checkpoint; None where there was no ledger yet.
        disk: The steps of writing.

    Raises:
        LedgerError: It is missing, does not verify, or is a ledger of other terms.
    """
    if kept is None and not Files(folder=folder, name=name).ledger.exists():
        return Ledger.create(folder, name, terms=terms, disk=disk)
    kind = RepeatedLedger if terms.noise == "insecure_seeded" else Ledger
    found = examine(folder, name, kept=kept)
    check_terms(found, terms, Files(folder=folder, name=name))
    ledger = kind.open(folder, name, kept=kept, disk=disk)
    if isinstance(ledger, RepeatedLedger):
        later = later_lines(found, kept)
        ledger.repeats(line.record for line in later if isinstance(line.record, Charge))
    return ledger


def check_terms(found: Examination, terms: Terms, files: Files) -> None:
    """Refuses to go on where a charge would cost something else than those before.

    Raises:
        LedgerError: The ledger has other terms.
    """
    if found.terms != terms:
        raise LedgerError(
            f"{files.ledger} has other terms than the run has now; resume with the settings "
            f"and the version that it began with, or {WAY_OUT}."
        )


def later_lines(found: Examination, kept: Head | None) -> tuple[Line, ...]:
    """Returns the lines after a head that was kept, or all after the terms."""
    return found.lines[1 if kept is None else kept.count :]
