"""A process that trains devices for the run that began it: what happens inside."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from threading import Event, Lock, Thread
from typing import Any, Literal

BEAT = 1.0
"""Seconds between two signs of life of a worker at work. Without them one that was stopped
could not be told from one that has much to do."""

Kind = Literal["alive", "ready", "trained", "failed"]


class _Line:
    """The pipe to the run; it is one line, so that two threads never speak at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    def say(self, kind: Kind, what: Any = None) -> None:
        with self._lock:
            self._connection.send((kind, what))

    def hear(self) -> Any:
        """Waits for the next part.

        Raises:
            EOFError: The run is over.
        """
        return self._connection.recv()

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Says so, once a second, for as long as the body lasts."""
        done = Event()
        beats = Thread(target=self._beat, args=(done,), daemon=True)
        beats.start()
        try:
            yield
        finally:
            done.set()
            beats.join()

    def _beat(self, done: Event) -> None:
        while not done.wait(BEAT):
            try:
                self.say("alive")
            except OSError:
                os._exit(1)  # The run is gone, however it went; what is trained is nobody's.


def main(descriptor: int) -> None:
    """Trains part after part, as each is asked for, until the run is over.

    Models and embeddings stay here from part to part.

    Args:
        descriptor: Of this end of a pipe between two processes of one user.
    """
    line = _Line(Connection(descriptor))
    try:
        with line.alive():
            import torch

            from client.local_device import train_together  # noqa: F401
        torch.set_num_threads(1)
        line.say("ready")
        while True:
            given = line.hear()
            with line.alive():
                kind, what = _outcome(*given)
            line.say(kind, what)
    except (EOFError, OSError):
        return


def _outcome(devices: Any, task: Any, frozen: Any) -> tuple[Kind, Any]:
    import numpy as np

    from client.local_device import train_together

    try:
        return "trained", np.stack(list(train_together(devices, task, lambda: frozen)))
    except Exception as failure:
        # By its kind alone: the run trains these devices one by one and finds out what it is.
        return "failed", type(failure).__name__
