"""Ctrl-C and SIGTERM end a run with what was released, and a second one at once."""

import os
import shlex
import signal
import subprocess
import sys
import threading

import pytest

from simulations.runs.stopping import Terminated, resume_command, stoppable, stopped, unbroken


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_the_first_signal_is_an_interrupt_and_what_was_there_before_comes_back(
    tmp_path, number, kind
):
    before = signal.getsignal(number)
    with pytest.raises(kind), stoppable(tmp_path):
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


SLEEPER = """
import os, signal, sys
from pathlib import Path
from simulations.runs.stopping import stoppable
with stoppable(Path("runs/a run")):
    try:
        os.kill(os.getpid(), signal.{first})
        signal.pause()
    except KeyboardInterrupt:
        print("saving", flush=True)
        os.kill(os.getpid(), signal.{second})
        signal.pause()
    print("never")
"""


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [("SIGINT", "SIGINT", 130), ("SIGTERM", "SIGTERM", 143), ("SIGINT", "SIGTERM", 143)],
)
def test_the_second_ends_the_process_and_says_how_to_go_on(first, second, status):
    ended = subprocess.run(
        [sys.executable, "-c", SLEEPER.format(first=first, second=second)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (status, "saving\n")
    assert "darkroom simulate 'resume=runs/a run'" in ended.stderr


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_what_must_not_be_broken_comes_to_its_end_first(tmp_path, number, kind):
    steps = []

    def work():
        with stoppable(tmp_path):
            with unbroken():
                os.kill(os.getpid(), number)
                steps.append("whole")
            steps.append("never")

    with pytest.raises(kind):
        work()
    assert steps == ["whole"]


def test_without_a_signal_or_a_run_nothing_is_different(tmp_path):
    with unbroken():
        pass
    with stoppable(tmp_path), unbroken():
        pass


@pytest.mark.parametrize("name", ["a", "two words", "it's", "$HOME", "a;b", "-m", 'quo"te'])
def test_the_command_is_typed_as_it_is_printed(tmp_path, name):
    words = shlex.split(resume_command(tmp_path / name))
    assert words == ["darkroom", "simulate", f"resume={tmp_path / name}"]
    assert resume_command(tmp_path / name) in stopped(tmp_path / name)


def test_beside_the_main_thread_signals_are_left_alone(tmp_path):
    found = []

    def run():
        with stoppable(tmp_path):
            found.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before]
