"""The chain of a ledger's lines: how each depends on all before it, verified."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from privacy.ledger.records import (
    Record,
    RecordError,
    Terms,
    Unknown,
    canonical,
    from_plain,
    parsed,
    to_line,
)
from privacy.ledger.totals import NOTHING, Spent

ORIGIN = "0" * 64
DIGEST = re.compile("[0-9a-f]{64}")
WAY_OUT = (
    "restore ledger and head from a copy, or start a new run and take this one's ε as unbounded"
)


class LedgerError(ValueError):
    """A ledger that cannot be trusted or used: one sentence names the file and the way out."""


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


def pointer_of(head: Head) -> bytes:
    """Returns the one way to write a head."""
    return f"{canonical(asdict(head))}\n".encode()


def _head(pointer: bytes | None) -> Head | None:
    """What the head's file says; None unless it is written the one way."""
    try:
        plain = parsed((pointer or b"").decode("latin-1"), line=1)
        head = Head(plain["count"], plain["hash"])
    except (ValueError, TypeError, KeyError):
        return None
    return head if pointer_of(head) == pointer else None


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
    found, written = seal(record, number=number, previous=previous)
    if raw != written:
        raise RecordError(f"line {number}: it is not what the hash chain was made of")
    return record, found


def seal(record: Record, *, number: int, previous: str) -> tuple[str, bytes]:
    """Returns the hash of a record in its place, and its line of canonical JSON."""
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
        wanted = pointer_of(Head(len(lines), lines[-1].hash))
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
    except OSError as failure:
        raise LedgerError(f"{path} cannot be read: {failure.strerror}; {WAY_OUT}.") from failure
