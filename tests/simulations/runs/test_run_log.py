"""The log of a run: counts, seconds and what is held, and of no device anything."""

import errno
import json
import logging
import os
import resource
import signal
from collections import Counter
from datetime import datetime

import numpy as np
import pytest

from protocol.messages import DeclineReason, RefusalReason
from server.rounds.outcome import RoundOutcome
from simulations.runs import run_log
from simulations.runs.run_folder import append_line
from simulations.runs.run_log import LOG, Logged, RunLog, held

OUTCOME = RoundOutcome(
    round=3,
    parameters=np.float32([1]),
    invited=9,
    admitted=4,
    declined=Counter({DeclineReason.PARTICIPATIONS_SPENT: 1}),
    refused=Counter({RefusalReason.NOT_FINITE: 2, RefusalReason.NORM: 1}),
    missing=1,
    participants=(5, 6, 7),
)


class Clock:
    """A second passes whenever somebody looks."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        self.now += 1.0
        return self.now


class Watcher:
    def __init__(self, clock, *, fails=False):
        self.clock, self.fails, self.heard = clock, fails, []

    def started(self, number, *, cohort):
        self.heard.append(("started", number, cohort))

    def replied(self):
        self.heard.append(("replied",))

    def closed(self, outcome):
        self.heard.append(("closed", outcome.round))
        self.clock.now += 100
        if self.fails:
            raise ValueError("diverged")


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(run_log, "time", clock)
    return clock


@pytest.fixture
def log(tmp_path, clock):
    (tmp_path / "private").mkdir()
    return RunLog(tmp_path)


def lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def play(logged):
    logged.started(3, cohort=9)
    logged.replied()
    logged.replied()
    logged.closed(OUTCOME)


def test_a_round_is_a_line_of_counts_by_reason_and_seconds_by_phase(log, clock, tmp_path):
    watcher = Watcher(clock)
    play(Logged(log=log, observer=watcher))
    assert watcher.heard == [("started", 3, 9), ("replied",), ("replied",), ("closed", 3)]
    (line,) = lines(tmp_path)
    assert datetime.fromisoformat(line.pop("time")).utcoffset().total_seconds() == 0
    assert line.pop("memory_mb") > 10
    assert line.pop("open_files") > 2
    assert line == {
        "event": "round",
        "round": 3,
        "invited": 9,
        "admitted": 4,
        "declined": {"participations spent": 1},
        "refused": {"not finite": 2, "norm above the public bound": 1},
        "missing": 1,
        "seconds": {"drawing": 1.0, "devices": 2.0, "server": 1.0, "judging": 101.0},
    }


def test_a_round_that_ends_the_run_has_its_line_too(log, clock, tmp_path):
    with pytest.raises(ValueError, match="diverged"):
        play(Logged(log=log, observer=Watcher(clock, fails=True)))
    assert [line["event"] for line in lines(tmp_path)] == ["round"]


def test_seconds_are_of_all_rounds_since_they_were_last_asked_for(log, clock):
    logged = Logged(log=log, observer=Watcher(clock))
    play(logged)
    play(logged)
    found = log.since_last_row()
    assert found["seconds"]["devices"] == 4.0
    assert set(found) == {"seconds", "memory_mb", "open_files"}
    assert log.since_last_row()["seconds"] == {"judging": 1.0}


def test_warnings_are_lines_while_the_run_lasts_and_information_is_not(log, tmp_path):
    other = logging.getLogger("client.somewhere")
    with log.listening():
        other.warning("a device failed with %s", "ValueError")
        other.info("nothing of note")
    other.warning("too late")
    (line,) = lines(tmp_path)
    assert (line["event"], line["logger"]) == ("warning", "client.somewhere")
    assert line["text"] == "a device failed with ValueError"


def test_a_warning_that_cannot_be_written_ends_nothing(log, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_log, "append_line", full)
    with log.listening():
        logging.getLogger("client").warning("a device failed")
    assert not (tmp_path / LOG).exists()


def test_one_more_open_file_is_one_more(tmp_path):
    before = held()["open_files"]
    with (tmp_path / "x").open("w"):
        assert held()["open_files"] == before + 1
    assert held()["open_files"] == before


def test_where_the_machine_says_nothing_nothing_is_said(monkeypatch):
    def unknown(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(run_log.Path, "read_text", unknown)
    monkeypatch.setattr(run_log.Path, "iterdir", unknown)
    assert held() == {"memory_mb": None, "open_files": None}


@pytest.mark.parametrize("taken", [0, 7])
def test_a_line_that_does_not_fit_is_taken_back(tmp_path, monkeypatch, taken):
    path = tmp_path / "lines.jsonl"
    append_line(path, {"round": 1})
    whole = path.read_bytes()
    limit = len(whole) + taken
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    held_signal = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(
            OSError, match=os.strerror(errno.EFBIG if not taken else errno.ENOSPC)
        ):
            append_line(path, {"round": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, held_signal)
    assert path.read_bytes() == whole
