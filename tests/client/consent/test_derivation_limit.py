import threading
import time

import pytest

from client.consent.derivation_limit import within_limit
from protocol.rebuild import SettingError


def works(seconds):
    """Works, and does not wait, for so many seconds of the processor's time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return "derived"


def test_what_is_cheap_is_returned_and_what_fails_fails():
    assert within_limit(lambda: works(0.01), seconds=5.0) == "derived"
    with pytest.raises(ZeroDivisionError):
        within_limit(lambda: 1 / 0)


def test_what_costs_more_is_given_up_in_a_sentence():
    stop = threading.Event()

    def endless():
        while not stop.is_set():
            pass

    began = time.process_time()
    with pytest.raises(SettingError, match=r"takes more than 0\.1 s to derive: give privacy"):
        within_limit(endless, seconds=0.1)
    stop.set()
    assert time.process_time() - began < 1


def test_a_machine_that_is_busy_with_others_costs_nothing():
    assert within_limit(lambda: time.sleep(0.3), seconds=0.2) is None
