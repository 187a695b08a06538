"""What a run did, round by round: a line of JSON each, for whoever looks why it was slow."""

import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server.rounds.outcome import RoundObserver, RoundOutcome
from simulations.runs.run_folder import append_line
from simulations.runs.run_parts import LOG

PAGE = os.sysconf("SC_PAGE_SIZE") if sys.platform == "linux" else 0
MEGABYTE = 1024**2
"""Bytes, as `simulation.memory` counts them. In 10⁶ the two would not compare."""


class RunLog:
    """Writes ``private/log.jsonl``: a line for each round and each warning, with its time.

    It says how many devices answered how, never which, and nothing that a device sent.
    """

    def __init__(self, folder: Path) -> None:
        """Begins when the run does.

        Args:
            folder: The run's.
        """
        self._path = folder / LOG
        self._seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def spent_in(self, phase: str) -> float:
        """Says that the time since this was last said was that of ``phase``; returns it."""
        now = time.perf_counter()
        spent, self._last = now - self._last, now
        self._seconds[phase] = self._seconds.get(phase, 0.0) + spent
        return spent

    def since_last_row(self) -> dict[str, Any]:
        """Returns the seconds of each phase since it was last asked, and what is held now."""
        self.spent_in("judging")
        seconds, self._seconds = self._seconds, {}
        return {"seconds": _rounded(seconds), **held()}

    def write(self, event: str, **facts: Any) -> None:
        """Appends a line.

        Raises:
            OSError: It cannot be written; the file is as it was.
        """
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        append_line(self._path, {"time": when, "event": event, **facts})

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Writes the warnings of all packages down too, while the body runs."""
        handler = _Warnings(self)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)


@dataclass
class Logged:
    """Follows a run for ``log`` and passes everything on to ``observer``."""

    log: RunLog
    observer: RoundObserver

    def __post_init__(self) -> None:
        self._round: dict[str, float] = {}

    def started(self, number: int, *, cohort: int) -> None:
        """Passes on that a round began."""
        self._mark("drawing")
        self.observer.started(number, cohort=cohort)

    def replied(self) -> None:
        """Passes on that one device is done."""
        self._mark("devices")
        self.observer.replied()

    def closed(self, outcome: RoundOutcome) -> None:
        """Passes the end of a round on, and writes its line also where that ends the run."""
        self._mark("server")
        began = time.perf_counter()
        try:
            self.observer.closed(outcome)
        finally:
            self._round["judging"] = time.perf_counter() - began
            self.log.spent_in("judging")
            self.log.write("round", **_counts(outcome), seconds=_rounded(self._round), **held())
            self._round = {}

    def _mark(self, phase: str) -> None:
        self._round[phase] = self._round.get(phase, 0.0) + self.log.spent_in(phase)


class _Warnings(logging.Handler):
    def __init__(self, log: RunLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a warning down; a disk that is full is told by whoever must have room."""
        with suppress(OSError):
            said = {"logger": record.name, "text": record.getMessage()}
            self._log.write(record.levelname.lower(), **said)


def held() -> dict[str, Any]:
    """Returns the resident memory in MB and the open files of this process, None if unknown."""
    memory = files = None
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        memory = round(pages * PAGE / MEGABYTE, 1)
    with suppress(OSError):
        files = sum(1 for _ in Path("/dev/fd").iterdir()) - 1
    return {"memory_mb": memory, "open_files": files}


def _counts(outcome: RoundOutcome) -> dict[str, Any]:
    return {
        "round": outcome.round,
        "invited": outcome.invited,
        "admitted": outcome.admitted,
        "declined": {str(reason): count for reason, count in outcome.declined.items()},
        "refused": {str(reason): count for reason, count in outcome.refused.items()},
        "missing": outcome.missing,
    }


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {phase: round(spent, 4) for phase, spent in seconds.items()}
