"""What runs charged, and what several charged the same devices together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from privacy.ledger.chain import examine
from privacy.ledger.listing import ledgers
from privacy.ledger.records import Terms
from privacy.ledger.totals import Spent
from privacy.statements import composition
from privacy.statements.composition import Composed
from simulations.runs.run_folder import EARLIER, RunFolder
from simulations.runs.run_parts import PARTS

Ledger = tuple[Terms, Spent]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill:
    """What one run charged.

    Attributes:
        name: Of its folder.
        units: Terms and charges, by unit.
        seal: Its ``parts.json``, which no other run has; None before the end of the run.
    """

    name: str
    units: Mapping[str, Ledger]
    seal: bytes | None = None

    def of(self, unit: str) -> Ledger | None:
        """Returns what bounds a unit: noise on a library's update hides a moment as well."""
        if unit in self.units:
            return self.units[unit]
        library = self.units.get("device")
        return library if library is not None and library[0].unit == "example" else None


def bill_of(run: Path) -> Bill:
    """Returns what one run charged, by the ledgers in its folder.

    Raises:
        LedgerError: One does not verify.
    """
    seal = run / PARTS
    sealed = seal.read_bytes() if seal.is_file() else None
    return Bill(name=run.name, units=dict(_units(run)), seal=sealed)


def bills_of(runs: Sequence[Path]) -> list[Bill]:
    """Returns what runs charged, and what those charged that they started from.

    A run that is named itself and is also kept as the start of another counts once: both are
    sealed by the same ``parts.json``.

    Raises:
        LedgerError: A ledger does not verify.
    """
    own = [bill_of(run) for run in runs]
    kept = [bill_of(one) for run in runs for one in earlier_of(run)]
    seen = {bill.seal for bill in own}
    return [*own, *_once(kept, seen)]


def earlier_of(run: Path) -> list[Path]:
    """Returns the folders in which a run keeps the ledgers of those that it started from."""
    folder = RunFolder(run).private / EARLIER
    return sorted(folder.iterdir()) if folder.is_dir() else []


def most(paid: Sequence[Ledger]) -> list[tuple[Terms, int]]:
    """Returns the charges of a device that came most often in every run."""
    return [
        (terms, spent.charges if terms.unit == "device" else spent.most)
        for terms, spent in paid
    ]


def visits(paid: Sequence[Ledger]) -> list[tuple[int, ...]]:
    """For each device that is named anywhere its charges in every run; unknown ones count."""
    spent = [one for _, one in paid]
    devices = sorted({device for one in spent for device in one.visits})
    everybody = [tuple(one.of(device) for one in spent) for device in devices]
    return everybody or [tuple(one.unknown for one in spent)]


def together(paid: Sequence[Ledger], *, aligned: bool) -> Composed:
    """Returns the ε that no device passes over several runs.

    Args:
        paid: What each charged one unit.
        aligned: Whether a number is the same device in all. Where it is not, the worst device
            of one may be that of another.

    Raises:
        ValueError: Their neighbours differ, or terms have no accountant.
    """
    if paid[0][0].unit == "device" or not aligned:
        return composition.composed(most(paid))
    return composition.worst([terms for terms, _ in paid], visits(paid))


def is_run(path: Path) -> bool:
    """Whether a folder has the halves of a run."""
    return any((path / half).is_dir() for half in ("private", "public"))


def ledgers_of(path: Path) -> list[Path]:
    """Returns the ledgers of a run's folder, or of a folder of ledgers."""
    folder = RunFolder(path).ledgers if is_run(path) else path
    return ledgers(folder) if folder.is_dir() else []


def _once(bills: Sequence[Bill], seen: set[bytes | None]) -> Iterator[Bill]:
    found = seen - {None}
    for bill in bills:
        if bill.seal is None or bill.seal not in found:
            yield bill
        found.add(bill.seal)


def _units(run: Path) -> Iterator[tuple[str, Ledger]]:
    for path in ledgers_of(run):
        found = examine(path.parent, path.stem)
        yield path.stem, (found.terms, found.spent)
