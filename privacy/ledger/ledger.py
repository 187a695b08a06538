"""The ledger: what was spent, on disk before anything that it pays for is handed over."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from privacy.ledger.chain import (
    ORIGIN,
    WAY_OUT,
    Examination,
    Files,
    Head,
    LedgerError,
    examine,
    pointer_of,
    seal,
)
from privacy.ledger.disk import DISK, Disk
from privacy.ledger.records import Charge, Record, Terms
from privacy.ledger.totals import NOTHING, Spent

if sys.platform != "win32":
    import fcntl


class Ledger:
    """One ledger, open for charging; a context manager that closes it.

    Formal guarantee: when ``charge`` returns, its charges and the head behind them are durable.
    So whoever hands over only afterwards never hands over more than is recorded, wherever the
    process or the machine stops: the recorded ε is at least the true one. Nothing is ever taken
    back. One process at a time has a ledger open (on Windows this is not enforced).

    Attributes:
        terms: What one charge costs.
    """

    terms: Terms

    def __init__(self, files: Files, disk: Disk) -> None:
        """Takes the lock; ``create`` and ``open`` make a ledger that is ready."""
        self._files = files
        self._disk = disk
        self._lock: int | None = _locked(files)
        self._count, self._hash, self._size = 0, ORIGIN, 0
        self._spent = NOTHING
        self._recent: list[Record] = []

    @classmethod
    def create(cls, folder: Path, name: str, *, terms: Terms, disk: Disk = DISK) -> Self:
        """Begins a ledger with its terms.

        Raises:
            LedgerError: There is one already, or another process has it open.
        """
        ledger = cls(Files(folder=folder, name=name), disk)
        with ledger._closed_on_failure():
            for path in (ledger._files.ledger, ledger._files.head):
                if path.exists():
                    raise LedgerError(f"{path} exists already; open it, or take a new folder.")
            ledger.terms = terms
            # Whole or not at all: a ledger whose opening is torn would have no terms.
            ledger._replace(ledger._files.ledger, ledger._sealed([terms]))
            ledger._write_head()
        return ledger

    @classmethod
    def open(
        cls, folder: Path, name: str, *, kept: Head | None = None, disk: Disk = DISK
    ) -> Self:
        """Opens a ledger after verifying it, and counts what a crash left as spent.

        Lines beyond the head that verify are taken in. What does not verify is moved to
        NAME.torn-N and counts, for each line begun there, as a charge of every device.

        Args:
            folder: Where the ledger is.
            name: What its files are called.
            kept: A head that was kept elsewhere, such as in a checkpoint.
            disk: The steps of writing.

        Raises:
            LedgerError: It does not verify (see ``examine``), or another process has it open.
        """
        ledger = cls(Files(folder=folder, name=name), disk)
        with ledger._closed_on_failure():
            ledger._recover(examine(folder, name, kept=kept))
        return ledger

    @property
    def spent(self) -> Spent:
        """What is spent so far."""
        self._spent = self._spent.plus(self._recent)
        self._recent = []
        return self._spent

    @property
    def name(self) -> str:
        """What its files are called."""
        return self._files.name

    @property
    def head(self) -> Head:
        """Where the ledger ends now: for the checkpoint and the report."""
        return Head(self._count, self._hash)

    def charge(self, charges: Sequence[Charge]) -> None:
        """Records charges, durable when this returns: only then may they be handed over.

        One line for each charge, one fsync for all, then the head. A charge that is there
        already is recorded again.

        Raises:
            LedgerError: A charge does not fit the unit; or the ledger is closed, which it is
                after a failed write: nothing may be handed over before it was opened anew.
        """
        if self._lock is None:
            raise LedgerError(f"{self._files.ledger} is closed; open it anew before a charge.")
        if self.terms.unit == "device" and any(charge.devices for charge in charges):
            raise LedgerError(
                f"{self._files.ledger} protects whole devices, so who took part is secret; "
                "leave 'devices' empty."
            )
        if charges:
            with self._closed_on_failure():
                self._append(charges)

    def close(self) -> None:
        """Lets another process open the ledger; it has no effect when repeated."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        """Closes when a write fails: nobody knows what the disk holds until it is read."""
        try:
            yield
        except BaseException as failure:
            self.close()
            if isinstance(failure, OSError):
                raise LedgerError(
                    f"{self._files.ledger} cannot be written: {failure.strerror}; mend that "
                    "and resume."
                ) from failure
            raise

    def _append(self, charges: Sequence[Charge]) -> None:
        ledger = self._files.ledger
        if ledger.stat().st_size != self._size:
            raise LedgerError(f"{ledger} was changed by another program; {WAY_OUT}.")
        self._disk.append(ledger, self._sealed(charges))
        self._disk.sync(ledger)
        self._write_head()

    def _sealed(self, records: Sequence[Record]) -> bytes:
        """The lines of ``records``, which are from now on the ledger's last."""
        lines = []
        for record in records:
            self._count += 1
            self._hash, line = seal(record, number=self._count, previous=self._hash)
            lines.append(line)
        self._recent.extend(records)
        sealed = b"".join(lines)
        self._size += len(sealed)
        return sealed

    def _recover(self, found: Examination) -> None:
        self.terms = found.terms
        self._count, self._hash = found.end.count, found.end.hash
        self._size = len(found.verified)
        self._recent = [line.record for line in found.lines]
        if found.unknown is not None:
            self._replace(self._files.folder / found.unknown.evidence, found.torn)
            # One rename puts the record in the place of the torn bytes: never neither.
            self._replace(self._files.ledger, found.verified + self._sealed([found.unknown]))
        if found.head != self.head:
            # Whoever appended may have died before this: a head must not outlive its lines.
            self._disk.sync(self._files.ledger)
            self._write_head()

    def _write_head(self) -> None:
        self._replace(self._files.head, pointer_of(self.head))

    def _replace(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f".{path.name}.new")
        try:
            self._disk.write(temporary, data)
            self._disk.sync(temporary)
            self._disk.rename(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._disk.sync(path.parent)


def _locked(files: Files) -> int:
    """An open lock file that no other process holds."""
    try:
        lock = os.open(files.lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as failure:
        raise LedgerError(
            f"{files.folder} cannot hold a ledger: {failure.strerror}; make it first."
        ) from failure
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as failure:
            os.close(lock)
            raise LedgerError(
                f"{files.ledger} is open in another process; wait for it to end, or stop it."
            ) from failure
    return lock
