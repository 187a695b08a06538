"""Processes train parts of a cohort: the same bits, no open port, and none is waited for."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from bare_task import BareTask
from safetensors.torch import load_file

from client.app import WorkersLostError
from server.rounds.outcome import RoundOutcome
from simulations.configuration.hydra_bridge import compose
from simulations.federation import workers
from simulations.federation.federation import federate
from simulations.simulate import simulate

ROOT = Path(__file__).parents[3]
SETTINGS = (
    "photos.devices=200",
    "photos.held_out_devices=2",
    "photos.side=16",
    "ranking=linear",
    "ranking.weights=null",
    "server.cohort=150",
    "server.rounds=2",
    "privacy.noise=insecure_seeded",
    "simulation.reference=false",
)
# What a worker may do in the place of training; {} is its end of the pipe.
PLAY = """
import os, sys, time, threading
from multiprocessing.connection import Connection
line = Connection({})
line.send(("ready", None))
count = 0
while True:
    devices, task, frozen = line.recv()
    count += 1
    PART
"""
PARTS = {
    "trains": 'line.send(("alive", None)); line.send(("trained", [[count, os.getpid()]]))',
    "fails": 'line.send(("failed", "MemoryError"))',
    "dies": "os._exit(7)",
    "sleeps": "time.sleep(60)",
    "takes its time": """
    for _ in range(40):
        time.sleep(0.05)
        line.send(("alive", None))
    line.send(("trained", [[count, os.getpid()]]))""",
    "stops in the middle of an answer": """
    os.write(line.fileno(), b"\\0\\0\\xff\\xff" + bytes(5))
    time.sleep(60)""",
    "dies once": """
    if not os.path.exists(MARK):
        open(MARK, "w").close()
        os._exit(9)
    line.send(("trained", [[count, os.getpid()]]))""",
}

# Those after which no other worker begins, which takes longer where a machine is busy.
ALONE = ("sleeps", "takes its time", "stops in the middle of an answer")


@pytest.fixture
def lent(monkeypatch, tmp_path):
    """Workers that do something in the place of training, and are given up after 0.8 s."""
    made = []
    monkeypatch.setattr(workers, "BEAT", 0.02)

    def lent(part, count=1):
        code = PLAY.replace("PART", PARTS[part]).replace("MARK", repr(str(tmp_path / "mark")))
        monkeypatch.setattr(workers, "CODE", code)
        made.append(workers.Workers(count))
        if part in ALONE:
            monkeypatch.setattr(workers, "SILENCE", 0.8)
        return made[-1]

    yield lent
    for one in made:
        one.close()


def trained(lent):
    return lent.train_together([], BareTask(), lambda: None)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_worker_keeps_what_it_has_from_part_to_part(lent):
    one = lent("trains")
    (pid,) = one.pids
    assert [trained(one) for _ in range(3)] == [[[n, pid]] for n in (1, 2, 3)]


def test_what_fails_in_a_worker_is_said_by_its_kind_and_the_worker_stays(lent):
    one = lent("fails")
    before = one.pids
    with pytest.raises(RuntimeError, match=r"^MemoryError$"):
        trained(one)
    assert one.pids == before


def test_a_worker_that_dies_is_replaced_and_its_part_trained_anew(lent):
    one = lent("dies once")
    before = one.pids
    assert trained(one) == [[1, *one.pids]]
    assert one.pids != before
    assert all(map(gone, before))


def test_workers_that_die_in_turn_of_the_same_devices_end_the_run_in_one_sentence(lent):
    one = lent("dies")
    with pytest.raises(
        WorkersLostError, match=r"^simulation\.workers: 3 .*ended with status 7"
    ):
        trained(one)


@pytest.mark.parametrize("part", ["sleeps", "stops in the middle of an answer"])
def test_a_worker_without_a_sign_of_life_is_given_up(lent, monkeypatch, part):
    one = lent(part)
    monkeypatch.setattr(workers, "TRIES", 1)
    before, began = one.pids, time.monotonic()
    with pytest.raises(WorkersLostError, match=r"gave no sign of life for 0\.8 s"):
        trained(one)
    assert time.monotonic() - began < 20
    assert all(map(gone, before))


def test_a_worker_that_was_stopped_is_ended(lent, monkeypatch):
    one = lent("takes its time")
    monkeypatch.setattr(workers, "TRIES", 1)
    (before,) = one.pids
    os.kill(before, signal.SIGSTOP)
    with pytest.raises(WorkersLostError, match=r"gave no sign of life for 0\.8 s"):
        trained(one)
    assert gone(before)


@pytest.mark.slow
def test_a_worker_that_has_much_to_do_is_waited_for(lent, monkeypatch):
    """Two seconds of work, longer than is waited for without a sign of life."""
    one = lent("takes its time")
    monkeypatch.setattr(workers, "SILENCE", 1.5)
    before = one.pids
    assert trained(one) == [[1, *before]]


def test_nobody_waits_for_workers_that_were_ended(lent, monkeypatch):
    one = lent("sleeps")
    monkeypatch.setattr(workers, "SILENCE", 600.0)
    threading.Timer(0.2, one.close).start()
    with pytest.raises(WorkersLostError, match="were ended"):
        trained(one)


def test_ended_workers_are_begun_anew_by_the_next_run(lent, monkeypatch):
    lent("trains")
    try:
        first = workers.workers(1)
        assert workers.workers(1) is first
        first.close()
        assert workers.workers(1) is not first
        assert workers.workers(2).pids != first.pids
    finally:
        workers.close()


def test_a_machine_without_room_for_processes_is_told(monkeypatch):
    monkeypatch.setattr(workers.sys, "executable", "/no/such/python")
    with pytest.raises(
        ValueError, match=r"simulation\.workers=2: the machine has no room.*No s"
    ):
        workers.Workers(2)
    monkeypatch.undo()
    monkeypatch.setattr(workers, "CODE", "raise SystemExit({} - {} + 3)".replace("- {}", "* 0"))
    with pytest.raises(ValueError, match=r"\(one ended with status 3\); lower it"):
        workers.Workers(2)


class Watch:
    """Follows a run and keeps what was released."""

    def __init__(self, at_second_round=lambda: None):
        self.outcomes = []
        self._at_second_round = at_second_round

    def started(self, number, *, cohort):
        self.cohort = cohort
        if number == 2:
            self._at_second_round()

    def replied(self):
        pass

    def closed(self, outcome: RoundOutcome):
        self.outcomes.append((self.cohort, outcome))

    @property
    def released(self):
        return [outcome.parameters.tobytes() for _, outcome in self.outcomes]


@pytest.fixture(scope="module")
def released():
    """What one process releases in each round."""
    watch = Watch()
    federate(compose(SETTINGS), 200, observer=watch)
    return watch.released


@pytest.fixture(autouse=True)
def _end_of_workers():
    yield
    workers.close()


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
def test_any_number_of_workers_releases_the_same_bits(released, count):
    watch = Watch()
    federate(compose([*SETTINGS, f"simulation.workers={count}"]), 200, observer=watch)
    assert watch.released == released


@pytest.mark.slow
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_is_lost_is_replaced_and_every_device_counts_once(
    released, monkeypatch, by
):
    monkeypatch.setattr(workers, "SILENCE", 20.0)
    watch = Watch(lambda: os.kill(workers.workers(2).pids[0], by))
    federate(compose([*SETTINGS, "simulation.workers=2"]), 200, observer=watch)
    assert watch.released == released
    assert all(outcome.admitted == cohort for cohort, outcome in watch.outcomes)


@pytest.mark.slow
def test_workers_serve_a_whole_run_and_its_reference(tmp_path):
    models = []
    for count in (1, 2):
        words = [
            *SETTINGS,
            "server.rounds=1",
            "simulation.reference=true",
            f"simulation.workers={count}",
            f"simulation.runs={tmp_path / str(count)}",
        ]
        assert simulate(compose(words), overrides=words) == 0
        (folder,) = (tmp_path / str(count)).iterdir()
        models.append(load_file(folder / "private/without-privacy/private/model.safetensors"))
    assert all((models[0][name] == models[1][name]).all() for name in models[0])


def sockets(pid):
    """Inodes of the sockets that a process holds."""
    held = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        target = entry.readlink().name if entry.is_symlink() else ""
        if target.startswith("socket:["):
            held.add(target.removeprefix("socket:[").removesuffix("]"))
    return held


def listening(pid):
    """The ports on which a process waits for a connection, by the kernel's own table."""
    lines = [
        line.split()
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    mine = sockets(pid)
    waits = {"0A", "07"}  # a TCP socket that listens, a UDP socket that is bound
    return [line[1] for line in lines if line[9] in mine and line[3] in waits]


def children(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(stat.parent.name)
            found += [child, *children(child)]
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no /proc/net/tcp")


@needs_proc
def test_the_kernels_table_shows_a_port_that_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"0100007F:{server.getsockname()[1]:04X}"
        assert port in listening(os.getpid())


@pytest.fixture
def begun(tmp_path):
    """The command with two workers, under way; returns it once its workers are there."""
    words = [*SETTINGS, "simulation.workers=2", "server.rounds=9999", "photos.devices=200"]
    words += ["privacy.example.max_participations=9999", f"simulation.runs={tmp_path}"]
    run = subprocess.Popen(
        [sys.executable, "-m", "simulations.command", "simulate", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("*/private/metrics.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.2)
    with run:
        yield run
        run.kill()


@needs_proc
@pytest.mark.slow
def test_no_process_of_a_run_with_workers_listens_anywhere(begun):
    family = [begun.pid, *children(begun.pid)]
    assert len(family) >= 3
    assert {pid: listening(pid) for pid in family} == {pid: [] for pid in family}


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_run_however_it_ends(begun, by):
    family = children(begun.pid)
    assert len(family) == 2
    began = time.monotonic()
    begun.send_signal(by)
    said, _ = begun.communicate(timeout=60)
    while not all(map(gone, family)) and time.monotonic() - began < 30:
        time.sleep(0.1)
    assert all(map(gone, family))
    if by == signal.SIGINT:
        assert begun.returncode == 130
        assert "Traceback" not in said
