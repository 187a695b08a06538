"""The ledger: what was spent, on disk before anything that it pays for is handed over."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from privacy.charge import (
    NOTHING,
    Charge,
    Record,
    RecordError,
    Spent,
    Terms,
    Unknown,
    canonical,
    from_plain,
    parsed,
    to_line,
)

if sys.platform != "win32":
    import fcntl

ORIGIN = "0" * 64
DIGEST = re.compile("[0-9a-f]{64}")
WAY_OUT = (
    "restore ledger and head from a copy, or start a new run and take this one's ε as unbounded"
)


class LedgerError(ValueError):
    """A ledger that cannot be trusted or used: one sentence names the file and the way out."""


class Disk:
    """The steps by which bytes become durable, apart so that a test can stop at each."""

    def append(self, path: Path, data: bytes) -> None:
        """Writes behind the last byte of a file that is there."""
        with path.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            file.write(data)

    def write(self, path: Path, data: bytes) -> None:
        """Makes a file of these bytes."""
        path.write_bytes(data)

    def sync(self, path: Path) -> None:
        """Returns when what was written to a file, or renamed in a folder, is durable.

        Syncing a file covers what any descriptor wrote to it (POSIX.1-2017, fsync). Windows has
        no such call for a folder.
        """
        if sys.platform == "win32" and path.is_dir():
            return
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Puts a file in the place of another, whole or not at all."""
        old.replace(new)


DISK = Disk()


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends: kept beside it, and again in every checkpoint and report.

    Attributes:
        count: Lines of the ledger, at least 1.
        hash: Hash of the last of them, which depends on all before it.

    Raises:
        LedgerError: The values are not such.
    """

    count: int
    hash: str

    def __post_init__(self) -> None:
        whole = type(self.count) is int and self.count > 0
        if not (whole and isinstance(self.hash, str) and DIGEST.fullmatch(self.hash)):
            raise LedgerError(f"{self.count!r}, {self.hash!r} is not the head of a ledger")


def _pointer(head: Head) -> bytes:
    return f"{canonical(asdict(head))}\n".encode()


def _head(pointer: bytes | None) -> Head | None:
    """What the head's file says; None unless it is written the one way."""
    try:
        plain = parsed((pointer or b"").decode("latin-1"), line=1)
        head = Head(plain["count"], plain["hash"])
    except (ValueError, TypeError, KeyError):
        return None
    return head if _pointer(head) == pointer else None


def _first_difference(left: bytes, right: bytes) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """The files of one ledger.

    Attributes:
        folder: Where they are; it has to exist.
        name: What they are called, such as "server" or "devices".
    """

    folder: Path
    name: str

    @property
    def ledger(self) -> Path:
        """The lines."""
        return self.folder / f"{self.name}.jsonl"

    @property
    def head(self) -> Path:
        """Where they end."""
        return self.folder / f"{self.name}.head.json"

    @property
    def lock(self) -> Path:
        """Held by the process that appends."""
        return self.folder / f".{self.name}.lock"

    def evidence(self, torn: bytes) -> Path:
        """Returns where unreadable bytes are kept: a free name, or where they already are."""
        number = 1
        while True:
            path = self.folder / f"{self.name}.torn-{number}"
            if not path.exists() or path.read_bytes() == torn:
                return path
            number += 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line that verifies: its record, the hash of all up to it, its first byte, its end."""

    record: Record
    hash: str
    first: int
    end: int


def _verified(data: bytes) -> tuple[list[Line], str | None]:
    """The lines up to the first that is not the one that was written, and its flaw."""
    lines: list[Line] = []
    first, previous = 0, ORIGIN
    while first < len(data):
        end = data.find(b"\n", first) + 1 or len(data)
        try:
            record, previous = _unsealed(
                data[first:end], number=len(lines) + 1, previous=previous
            )
        except RecordError as failure:
            return lines, f"{failure} (bytes {first} to {end - 1})"
        lines.append(Line(record=record, hash=previous, first=first, end=end))
        first = end
    return lines, None


def _unsealed(raw: bytes, *, number: int, previous: str) -> tuple[Record, str]:
    if not raw.endswith(b"\n"):
        raise RecordError(f"line {number}: it has no end")
    plain = parsed(raw.decode("latin-1"), line=number)
    record = from_plain(plain.get("body") if isinstance(plain, dict) else None, line=number)
    if isinstance(record, Terms) != (number == 1):
        raise RecordError(f"line {number}: the terms stand in the first line and only there")
    found, written = _seal(record, number=number, previous=previous)
    if raw != written:
        raise RecordError(f"line {number}: it is not what the hash chain was made of")
    return record, found


def _seal(record: Record, *, number: int, previous: str) -> tuple[str, bytes]:
    """The hash of a record in its place, and its line: canonical JSON, keys in order."""
    body = to_line(record)
    found = hashlib.sha256(f"{previous}{body}".encode()).hexdigest()
    return found, f'{{"body":{body},"hash":"{found}","number":{number}}}\n'.encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """A ledger that verifies up to its head.

    Attributes:
        lines: All lines that verify, the opening first; those beyond the head count as spent.
        verified: The bytes of these lines.
        head: What the head's file says; None where a crash came before the first one.
        torn: What follows and does not verify, left by a crash.
        unknown: What the torn bytes count as; None where there are none.
        flaw: Why the torn bytes do not verify; None where there are none.
    """

    lines: tuple[Line, ...]
    verified: bytes
    head: Head | None
    torn: bytes
    unknown: Unknown | None
    flaw: str | None

    @property
    def terms(self) -> Terms:
        """What a charge costs."""
        opening = self.lines[0].record
        assert isinstance(opening, Terms)  # noqa: S101
        return opening

    @property
    def spent(self) -> Spent:
        """What is spent: every line, and what is torn."""
        torn = [] if self.unknown is None else [self.unknown]
        return NOTHING.plus([*(line.record for line in self.lines), *torn])

    @property
    def end(self) -> Head:
        """The head of all lines that verify."""
        return Head(len(self.lines), self.lines[-1].hash)


def examine(folder: Path, name: str, *, kept: Head | None = None) -> Examination:
    """Returns what a ledger says once its lines, chain and head are verified; writes nothing.

    Guarantees that every byte up to the head is the one that was written, unless somebody wrote
    ledger *and* head anew: that is found by ``kept`` alone.

    Args:
        folder: Where the ledger is.
        name: What its files are called.
        kept: A head that was kept elsewhere, such as in a checkpoint.

    Raises:
        LedgerError: A file is missing, the ledger is shorter than its head or than ``kept``, or
            a byte was changed; the sentence names the file, the line and its first byte.
    """
    files = Files(folder=folder, name=name)
    # The head first: beside a writer the ledger may then be longer than it, never shorter.
    pointer, data = _read(files.head), _read(files.ledger)
    if data is None:
        raise LedgerError(f"{files.ledger} is missing; {WAY_OUT}.")
    lines, flaw = _verified(data)
    verified = data[: lines[-1].end] if lines else b""
    torn = data[len(verified) :]
    head = _checked_head(files, pointer, lines=lines, flaw=flaw)
    if kept is not None and (
        len(lines) < kept.count or lines[kept.count - 1].hash != kept.hash
    ):
        raise LedgerError(
            f"{files.ledger} is not the ledger whose head was kept at line {kept.count}: that "
            f"line is missing or another one; {WAY_OUT}."
        )
    return Examination(
        lines=tuple(lines),
        verified=verified,
        head=head,
        torn=torn,
        unknown=_unknown(files, torn) if torn else None,
        flaw=flaw,
    )


def _checked_head(
    files: Files, pointer: bytes | None, *, lines: Sequence[Line], flaw: str | None
) -> Head | None:
    """The head, when the lines reach it and have its hash; None in a ledger just begun."""
    head = _head(pointer)
    if pointer is None and len(lines) == 1 and flaw is None:
        return None
    if flaw is not None and (head is None or len(lines) < head.count):
        raise LedgerError(f"{files.ledger}, {flaw}; {WAY_OUT}.")
    if pointer is None or not lines:
        missing = files.head if lines else files.ledger
        raise LedgerError(f"{missing} is missing or empty; {WAY_OUT}.")
    if head is not None and len(lines) < head.count:
        raise LedgerError(
            f"{files.ledger} ends after line {len(lines)} (byte {lines[-1].end}), but "
            f"{files.head.name} counts {head.count}: lines were cut off; {WAY_OUT}."
        )
    if head is None or lines[head.count - 1].hash != head.hash:
        wanted = _pointer(Head(len(lines), lines[-1].hash))
        raise LedgerError(
            f"{files.head}, line 1: byte {_first_difference(pointer, wanted)} is not what the "
            f"{len(lines)} lines of {files.ledger.name} have for a head; {WAY_OUT}."
        )
    return head


def _unknown(files: Files, torn: bytes) -> Unknown:
    begun = torn.count(b"\n") + (not torn.endswith(b"\n"))
    return Unknown(
        charges=begun,
        evidence=files.evidence(torn).name,
        digest=hashlib.sha256(torn).hexdigest(),
    )


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


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
            self._hash, line = _seal(record, number=self._count, previous=self._hash)
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
        self._replace(self._files.head, _pointer(self.head))

    def _replace(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f".{path.name}.new")
        self._disk.write(temporary, data)
        self._disk.sync(temporary)
        self._disk.rename(temporary, path)
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
