"""How a run is stopped from outside: once drops the round and saves, twice stops at once."""

import os
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STATUS = 128
"""Added to a signal's number, it is the exit status of what that ended, as shells have it."""

SHOW_CURSOR = "\x1b[?25h"
"""Gives a terminal its cursor back, which a live line hides."""


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends a run as Ctrl-C does."""


class _Stopper:
    """Answers signals for the run in ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._came = 0
        self.waits = False
        self.waiting: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._came += 1
        if self._came > 1:
            _end(number, self._path)
        if self.waits:
            self.waiting = number
        else:
            raise _interrupt(number)


_stoppers: list[_Stopper] = []


@contextmanager
def stoppable(path: Path) -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM end the run in ``path``, and a second one end it at once.

    The first raises ``KeyboardInterrupt`` or ``Terminated`` in the main thread, wherever it is:
    the round under way is dropped. Every round that was released is on disk by then, so the
    second loses nothing: it ends the process without another step.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopper = _Stopper(path)
    before = {number: signal.signal(number, stopper) for number in SIGNALS}
    _stoppers.append(stopper)
    try:
        yield
    finally:
        _stoppers.remove(stopper)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def unbroken() -> Iterator[None]:
    """Lets a block come to its end before a first signal ends the run; a second one does not.

    Its files belong together: with some of them a run would pass for one that was tampered
    with.
    """
    if not _stoppers:
        yield
        return
    stopper = _stoppers[-1]
    stopper.waits = True
    try:
        yield
    finally:
        stopper.waits = False
    if stopper.waiting is not None:
        raise _interrupt(stopper.waiting)


def _interrupt(number: int) -> KeyboardInterrupt:
    return Terminated() if number == signal.SIGTERM else KeyboardInterrupt()


def resume_command(path: Path) -> str:
    """Returns what to type to go on with the run in ``path``, quoted for a shell."""
    return f"darkroom simulate {shlex.quote(f'resume={path}')}"


def stopped(path: Path) -> str:
    """Returns what is said of a run that was stopped."""
    where = f"Interrupted: what was released until then is in {path}."
    return f"{where}\nGo on: {resume_command(path)}"


def as_exit(end: KeyboardInterrupt) -> BaseException:
    """Returns what goes on upwards once all is saved: of SIGTERM its exit status."""
    return SystemExit(STATUS + signal.SIGTERM) if isinstance(end, Terminated) else end


def _end(number: int, path: Path) -> None:
    cursor = SHOW_CURSOR if os.isatty(2) else ""
    words = f"{cursor}\ndarkroom: stopped at once. Go on: {resume_command(path)}\n"
    os.write(2, words.encode(errors="backslashreplace"))
    os._exit(STATUS + number)
