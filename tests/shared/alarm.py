"""A test that waits for ever fails instead of holding up all."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def within(seconds: int, *, what: str) -> Iterator[None]:
    """Fails the test where ``what`` is not over after so many seconds."""

    def late(*_: object) -> None:
        pytest.fail(f"{what} takes for ever")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
