"""Processes of this machine that train devices: they speak over pipes and listen nowhere."""

import atexit
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing import Pipe
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from client.app import WorkersLostError
from client.local_device import Frozen, LocalDevice
from protocol.messages import Task, Vector
from simulations.federation.worker_process import BEAT

TRIES = 3
"""Workers that may be lost over the same devices before the run ends. With one it ends with
the first; without a limit devices that end each process are trained for ever."""

SILENCE = 60.0
"""Seconds without a sign of life after which a worker is given up: sixty missed signs. Much
shorter, one that waits for a crowded machine is taken for one that was stopped."""

LEAVING = 5.0
"""Seconds that a process has to end once its pipe is closed. At once, what it died of could not
be told from our own ending it."""

CODE = "from simulations.federation.worker_process import main; main({})"
"""What a worker runs, given its end of the pipe: no part of whatever began this process."""

log = logging.getLogger(__name__)


class _GoneError(Exception):
    """The worker is gone, or was given up; the text says which."""


class _Worker:
    """One process; it is asked by one thread at a time."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-c", CODE.format(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # A Ctrl-C of the terminal is for the run, which ends its workers.
                start_new_session=True,
            )
        self._heard = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    def answer(self, given: Any = None) -> Any:
        """What the worker says to ``given``, or that it is ready; its signs of life are not.

        Raises:
            _GoneError: It is gone, or was silent for too long and was ended.
        """
        done, silent = Event(), Event()
        self._heard = time.monotonic()
        Thread(target=self._watch, args=(done, silent), daemon=True).start()
        try:
            if given is not None:
                self._connection.send(given)
            while (said := self._connection.recv())[0] == "alive":
                self._heard = time.monotonic()
        except (EOFError, OSError):
            self._await_end()
            status = f"ended with status {self._process.returncode}"
            why = f"gave no sign of life for {SILENCE:g} s" if silent.is_set() else status
            raise _GoneError(why) from None
        finally:
            done.set()
        return said

    def _await_end(self) -> None:
        """Waits for a process that has let go of its pipe, so that its own status is known."""
        try:
            self._process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            self.end()

    def end(self) -> None:
        """Ends the process at once, also one that is stopped."""
        self._process.kill()
        self._process.wait()

    def _watch(self, done: Event, silent: Event) -> None:
        """Ends a silent process: only that wakes whoever waits for it, in the pipe's middle."""
        while not done.wait(BEAT):
            if time.monotonic() - self._heard > SILENCE:
                silent.set()
                self._process.kill()
                return


class Workers:
    """Processes that train one part of a cohort after another, whichever is idle the next part.

    Updates have the same bits as in this process, for a part is the same wherever it is
    trained, on one thread.

    A worker that dies or falls silent is replaced and its part trained anew: nothing of the
    lost try had left it, so a device is charged once. They end with this process, however it
    ends.
    """

    def __init__(self, count: int) -> None:
        """Begins ``count`` processes of one core each.

        Raises:
            ValueError: The machine has no room for them.
        """
        self._lock = Lock()
        self._all: set[_Worker] = set()
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self.closed = False
        try:
            begun = [self._begin() for _ in range(count)]
            for worker in begun:
                worker.answer()
                self._idle.put(worker)
        except (OSError, _GoneError) as failure:
            self.close()
            why = failure.strerror if isinstance(failure, OSError) else f"one {failure}"
            raise ValueError(
                f"simulation.workers={count}: the machine has no room for as many processes "
                f"({why}); lower it."
            ) from failure

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes."""
        with self._lock:
            return sorted(worker.pid for worker in self._all)

    def train_together(
        self, devices: Sequence[LocalDevice], task: Task, frozen: Frozen
    ) -> Sequence[Vector]:
        """Same as ``client.local_device``; may be called from several threads.

        Raises:
            RuntimeError: It failed there; it is to be tried here, one device at a time.
            WorkersLostError: Three workers were lost over these devices, or all were ended.
        """
        given = (list(devices), replace(task, frozen=None), frozen())
        worker, lost = self._idle.get(), ""
        try:
            for _ in range(TRIES):
                worker = self._replaced(worker, lost) if lost else worker
                try:
                    return _trained(*worker.answer(given))
                except _GoneError as failure:
                    lost = str(failure)
        finally:
            self._idle.put(worker)
        raise WorkersLostError(
            f"simulation.workers: {TRIES} workers in turn were lost over the same devices, the "
            f"last one {lost}; lower simulation.workers or simulation.memory, or take "
            "simulation.workers=1."
        )

    def close(self) -> None:
        """Ends all processes at once; whoever waits for one is told."""
        with self._lock:
            self.closed = True
            ended, self._all = self._all, set()
        for worker in ended:
            worker.end()

    def _begin(self) -> _Worker:
        with self._lock:
            if self.closed:
                raise WorkersLostError("simulation.workers: the workers were ended.")
            worker = _Worker()
            self._all.add(worker)
        return worker

    def _replaced(self, worker: _Worker, why: str) -> _Worker:
        """Another worker, which is ready, for one that is gone.

        Raises:
            WorkersLostError: That one is gone too, or all were ended.
        """
        with self._lock:
            self._all.discard(worker)
        another = self._begin()
        log.warning("a worker %s; its devices are trained by another", why)
        try:
            another.answer()
        except _GoneError as failure:
            raise WorkersLostError(
                f"simulation.workers: a worker {why} and the one in its place {failure}; take "
                "simulation.workers=1."
            ) from failure
        return another


def _trained(kind: str, what: Any) -> Sequence[Vector]:
    if kind == "failed":
        raise RuntimeError(what)
    return list(what)


_current: list[Workers] = []
"""Those of this process: one or none."""


def workers(count: int) -> Workers:
    """Returns the workers of this process, which keep their embeddings from run to run."""
    if not _current or _current[0].closed or len(_current[0].pids) != count:
        close()
        _current[:] = [Workers(count)]
    return _current[0]


def close() -> None:
    """Ends the workers of this process, if it has any."""
    for held in _current:
        held.close()
    _current.clear()


atexit.register(close)
