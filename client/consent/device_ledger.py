"""A device's own ledger on disk: it outlives the context, the process and the node."""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from client.consent.agreement import DeviceState
from client.consent.configured_floor import LEEWAY, own_protection
from client.consent.lifetime import keeps
from client.sections import read_sections
from privacy.ledger.chain import Files, LedgerError
from privacy.ledger.disk import DISK
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, Terms
from protocol.messages import Declined, DeclineReason, Task

if sys.platform != "win32":
    import fcntl

_one_at_a_time = Lock()


class DeviceLedger:
    """The visits of one device under one configuration, in a file for each unit it protects.

    A context manager: inside it nobody else has the files, so what ``visits`` says still holds
    when ``charge`` is called. Without terms it counts nothing and touches no disk.

    Formal guarantee: when ``charge`` returns, every file counts at least as many visits as the
    device says it has, this one among them, and that is durable. So a device that trains and
    sends only afterwards never shows more than is recorded, wherever it stops: without any
    other memory it goes on from at least the true number.
    """

    def __init__(self, terms: Mapping[Path, Terms], *, device: int) -> None:
        """Takes the terms of each ledger, by its folder and name; ``device`` pays."""
        self._terms = dict(terms)
        self._device = device
        self._ledgers: dict[Path, Ledger] = {}
        self._held = ExitStack()

    def __enter__(self) -> Self:
        """Opens the files that are there; see ``Ledger.open`` for what a crash left.

        Raises:
            LedgerError: One is damaged, of weaker terms, or open in another process.
        """
        with ExitStack() as held:
            if self._terms:
                # Threads of one process would find each other's files locked, and fail.
                held.enter_context(_one_at_a_time)
            for folder in {path.parent.parent for path in self._terms}:
                held.enter_context(_alone_in(folder))
            for path, terms in self._terms.items():
                if _is_there(path):
                    self._ledgers[path] = held.enter_context(_opened(path, terms))
            self._held = held.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    @property
    def visits(self) -> int:
        """Visits that the device has to count; unknown ones are among them."""
        counts = (ledger.spent.of(self._device) for ledger in self._ledgers.values())
        return max(counts, default=0)

    def within(
        self, accepted: DeviceState | Declined, task: Task, *, most: float | None
    ) -> DeviceState | Declined:
        """Returns the state again, or a refusal where this visit would pass ``most`` in all.

        Formal guarantee: that of ``client.consent.lifetime``: over all configurations here.

        Args:
            accepted: What the device would say by this configuration alone.
            task: What it would agree to.
            most: The operator's largest ε; None for none.
        """
        if isinstance(accepted, Declined) or most is None or not self._terms:
            return accepted
        # A ledger of an older version may have charged for less noise than is charged today.
        terms = self._terms | {path: one.terms for path, one in self._ledgers.items()}
        if keeps(terms, visits=accepted.participations, device=self._device, most=most):
            return accepted
        return Declined(
            round=task.round, attempt=task.attempt, reason=DeclineReason.BUDGET_SPENT
        )

    def charge(self, task: Task, *, visits: int) -> None:
        """Records the visit of ``task``, durable when this returns: only then may it begin.

        Args:
            task: What the device agreed to.
            visits: Its number. A file that counts fewer, because it is younger than the device
                or a crash came between two files, is charged for those too.

        Raises:
            LedgerError: A file cannot be made or written; the device must not take part.
        """
        for path, terms in self._terms.items():
            if path not in self._ledgers:
                self._ledgers[path] = self._held.enter_context(_created(path, terms))
        for ledger in self._ledgers.values():
            missing = visits - ledger.spent.of(self._device)
            ledger.charge([_charge(task, device=self._device)] * missing)


def device_ledger(folder: Path | None, text: str, *, device: int) -> DeviceLedger:
    """Returns the ledger that a device keeps in ``folder``, under the digest of ``text``.

    Its terms are those of a visit at the configured floor, whatever the operator demands beyond
    it: every visit counts as one of these.

    Args:
        folder: The operator's; None for no ledger.
        text: The whole configuration in JSON.
        device: The device's number.

    Raises:
        SettingError: Same as ``read_sections``.
        ValueError: A promise cannot be met.
    """
    if folder is None:
        return DeviceLedger({}, device=device)
    own = folder / hashlib.sha256(text.encode()).hexdigest()
    return DeviceLedger({own / unit: terms for unit, terms in _terms(text)}, device=device)


def _terms(text: str) -> Iterator[tuple[str, Terms]]:
    """Of each unit that the device itself protects."""
    noise = read_sections(text).privacy.noise
    for unit, own in own_protection(text).items():
        yield unit, own.mechanism.terms(noise=noise)


def _charge(task: Task, *, device: int) -> Charge:
    return Charge(round=task.round, attempt=task.attempt, devices=(device,), what="update")


def _is_there(path: Path) -> bool:
    """Whether there is a ledger, or its head alone: one that was lost must not begin anew."""
    files = Files(folder=path.parent, name=path.name)
    with _as_ledger_error(path):
        return files.ledger.exists() or files.head.exists()


def _opened(path: Path, terms: Terms) -> Ledger:
    ledger = Ledger.open(path.parent, path.name)
    if not _covers(ledger.terms, terms):
        ledger.close()
        raise LedgerError(
            f"{path}.jsonl has other terms than the configuration of its folder; restore it "
            "from a copy, or take its ε as unbounded."
        )
    return ledger


def _created(path: Path, terms: Terms) -> Ledger:
    with _as_ledger_error(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        DISK.sync(path.parent.parent)
    return Ledger.create(path.parent, path.name, terms=terms)


def _covers(old: Terms, terms: Terms) -> bool:
    """Whether a visit of ``terms`` costs no more than the ledger says that a charge does.

    A later version of the program may derive another noise from the same ε.
    """
    same = replace(terms, code=old.code, noise_multiplier=old.noise_multiplier) == old
    return same and old.noise_multiplier <= terms.noise_multiplier * (1 + LEEWAY)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keeps other processes out: two visits at once would each not count the other."""
    if sys.platform == "win32":
        yield
        return
    with _as_ledger_error(folder / "example"):
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
        except OSError:
            os.close(held)
            raise
    try:
        yield
    finally:
        os.close(held)


@contextmanager
def _as_ledger_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise LedgerError(
            f"{path}.jsonl cannot be kept: {failure.strerror}; mend that, or name another "
            "folder by 'ledger' in node-config."
        ) from failure
