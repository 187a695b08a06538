"""Wherever the process or the machine stops, no less is recorded than was handed over."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections import Counter

import pytest
from ledger_disks import BATCHES, TORN, Counting, Killed, Killing, PowerCut, visit
from ledger_terms import COHORTS, MOMENTS

from privacy.ledger.chain import LedgerError, examine
from privacy.ledger.disk import Disk
from privacy.ledger.ledger import Ledger


class Simulation:
    """A run that hands over only what is charged, and remembers what it handed over."""

    def __init__(self, folder):
        self.folder = folder
        self.visits = Counter()
        self.charges = 0

    def run(self, disk, *, terms=MOMENTS, batches=BATCHES):
        if (self.folder / "server.jsonl").exists():
            ledger = Ledger.open(self.folder, "server", disk=disk)
        else:
            ledger = Ledger.create(self.folder, "server", terms=terms, disk=disk)
        with ledger:
            for batch in batches:
                ledger.charge(batch)
                self.charges += len(batch)
                for charge in batch:
                    self.visits.update(charge.devices)
            return ledger.spent

    def is_covered_by(self, spent):
        most = max(self.visits.values(), default=0)
        each = all(spent.of(device) >= visits for device, visits in self.visits.items())
        return each and spent.most >= most and spent.charges >= self.charges


@pytest.fixture
def simulation(tmp_path):
    return Simulation(tmp_path)


POINTS = 8 + 6 * len(BATCHES)
WRITES = [0, 4, *(8 + 6 * b + i for b in range(len(BATCHES)) for i in (0, 2))]
KILLS = [
    *((Killing, step, False) for step in range(POINTS)),
    *((Killing, step, True) for step in WRITES),
    *((PowerCut, step, False) for step in range(POINTS)),
    *((PowerCut, step, True) for step in WRITES),
]


def test_a_ledger_has_the_write_points_that_the_kills_below_are_made_for(simulation):
    disk = Counting()
    simulation.run(disk)

    ledger, head = ("server.jsonl", "server.head.json")
    folder = simulation.folder.name
    pointer = [("write", f".{head}.new"), ("sync", f".{head}.new"), ("rename", head)]
    charge = [("append", ledger), ("sync", ledger), *pointer, ("sync", folder)]
    assert disk.steps[8:14] == charge
    assert len(disk.steps) == POINTS
    writes = [i for i, (kind, _) in enumerate(disk.steps) if kind in ("append", "write")]
    assert writes == WRITES


@pytest.mark.parametrize("terms", [MOMENTS, COHORTS], ids=["example", "device"])
@pytest.mark.parametrize(("disk", "step", "half"), KILLS)
def test_killed_at_any_write_point_no_less_is_recorded_and_the_run_goes_on(
    simulation, disk, step, half, terms
):
    secret = [[dataclasses.replace(c, devices=()) for c in batch] for batch in BATCHES]
    batches = secret if terms.unit == "device" else BATCHES
    with pytest.raises(Killed):
        simulation.run(disk(step, half=half), terms=terms, batches=batches)

    assert simulation.is_covered_by(simulation.run(Counting(), terms=terms, batches=[]))
    assert simulation.is_covered_by(simulation.run(Counting(), terms=terms, batches=batches))
    assert simulation.is_covered_by(examine(simulation.folder, "server").spent)


RECOVERY = 8 + 5


@pytest.mark.parametrize("disk", [Killing, PowerCut])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("step", range(RECOVERY))
def test_killed_in_the_middle_of_recovery_the_torn_charge_still_counts(
    simulation, disk, half, step
):
    simulation.run(Counting())
    Disk().append(simulation.folder / "server.jsonl", TORN)
    with pytest.raises(Killed):
        simulation.run(disk(step, half=half), batches=[])

    spent = simulation.run(Counting(), batches=BATCHES)
    assert spent.unknown == 1
    assert spent.of(11) == 1
    assert simulation.is_covered_by(spent)
    assert (simulation.folder / "server.torn-1").read_bytes() == TORN
    assert not (simulation.folder / "server.torn-2").exists()


def test_recovery_has_the_write_points_that_the_kills_above_are_made_for(simulation):
    simulation.run(Counting())
    Disk().append(simulation.folder / "server.jsonl", TORN)
    disk = Counting()
    simulation.run(disk, batches=[])

    assert len(disk.steps) == RECOVERY


def test_a_killed_process_has_recorded_all_that_it_handed_over(tmp_path):
    code = (
        "from pathlib import Path; import itertools, sys\n"
        "from ledger_disks import visit\n"
        "from ledger_terms import MOMENTS\n"
        "from privacy.ledger.ledger import Ledger\n"
        "with Ledger.create(Path(sys.argv[1]), 'server', terms=MOMENTS) as ledger:\n"
        "    for n in itertools.count(1):\n"
        "        ledger.charge([visit(n, 7)])\n"
        "        print(n, flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=paths, stdout=subprocess.PIPE) as process:
        for _ in range(5):
            process.stdout.readline()
        with pytest.raises(LedgerError, match="open in another process"):
            Ledger.open(tmp_path, "server")
        process.send_signal(signal.SIGKILL)
        released = 5 + len(process.stdout.read().splitlines())

    with Ledger.open(tmp_path, "server") as ledger:
        assert released <= ledger.spent.of(7) <= released + 1
        ledger.charge([visit(99, 7)])
