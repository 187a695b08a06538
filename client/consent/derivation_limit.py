"""How much a configuration may cost a device before it is agreed to."""

import time
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from protocol.rebuild import SettingError

MOST_SECONDS = 3.0
"""Seconds of the processor's time in which a device must come to what it demands. The dearest
shipped configuration takes 1; a hostile one could take 20, for each message of the server's."""

POLL_SECONDS = 0.02
"""Seconds between two looks at whether it is there."""

T = TypeVar("T")


def within_limit(derive: Callable[[], T], *, seconds: float | None = None) -> T:
    """Returns what ``derive`` returns, or raises what it raises, within a limit.

    What is given up goes on until the process ends, which a SuperNode begins for each message.

    Args:
        derive: What may be costly.
        seconds: Of the processor's time in this process; waiting for others costs nothing. None
            for ``MOST_SECONDS``.

    Raises:
        SettingError: It takes longer.
    """
    found: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(derive())
        except BaseException as failure:
            failed.append(failure)

    limit = MOST_SECONDS if seconds is None else seconds
    thread, began = Thread(target=work, daemon=True), time.process_time()
    thread.start()
    while thread.is_alive():
        thread.join(POLL_SECONDS)
        if thread.is_alive() and time.process_time() - began > limit:
            raise SettingError(
                f"what the run's configuration demands takes more than {limit:g} s to derive: "
                "give privacy.example.noise_multiplier instead of epsilon, a smaller encoder, "
                "or a larger training.rate."
            )
    if failed:
        raise failed[0]
    return found[0]
