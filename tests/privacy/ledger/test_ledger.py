import dataclasses
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from privacy.ledger.chain import Head, LedgerError, examine
from privacy.ledger.disk import Disk
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, Terms, Unknown, to_line

TERMS = Terms(
    code="0.1.0",
    unit="example",
    relation="add or remove one",
    sampler="poisson",
    rate=0.1,
    noise_multiplier=1.1,
    clip=0.5,
    steps=4,
    cap=None,
    population=12,
    delta=1e-5,
    noise="secure",
    public={},
)
WHOLE_DEVICES = dataclasses.replace(TERMS, unit="device")
ROOT = Path(__file__).parents[3]


def visit(number, *devices, attempt=1):
    return Charge(round=number, attempt=attempt, devices=devices, what="update")


BATCHES = [[visit(1, 1, 2, 3)], [visit(2, 1), visit(2, 4, 5)], [visit(2, 1, 2, attempt=2)]]


class Killed(BaseException):
    """The process is gone."""


class Counting(Disk):
    """Writes without waiting for the disk, and notes every step."""

    def __init__(self):
        self.steps = []

    def append(self, path, data):
        self.step("append", path, data)
        super().append(path, data)

    def write(self, path, data):
        self.step("write", path, data)
        super().write(path, data)

    def sync(self, path):
        self.step("sync", path)

    def rename(self, old, new):
        self.step("rename", new)
        super().rename(old, new)

    def step(self, kind, path, data=b""):
        self.steps.append((kind, path.name))


class Killing(Counting):
    """Kills at one step: before it, or after it wrote the first half of its bytes."""

    def __init__(self, stop, *, half):
        super().__init__()
        self.stop = stop
        self.half = half

    def step(self, kind, path, data=b""):
        if len(self.steps) == self.stop:
            self.leave(kind, path, data)
            raise Killed
        super().step(kind, path)

    def leave(self, kind, path, data):
        if self.half and kind == "append":
            Disk.append(self, path, data[: len(data) // 2])
        if self.half and kind == "write":
            Disk.write(self, path, data[: len(data) // 2])


class PowerCut(Killing):
    """Loses at the kill all that was not synced: bytes of files, renames in folders."""

    def __init__(self, stop, *, half):
        super().__init__(stop, half=half)
        self.bytes, self.renames = [], []

    def append(self, path, data):
        self.step("append", path, data)
        self.bytes.append((Disk.append, path, data))

    def write(self, path, data):
        self.step("write", path, data)
        self.bytes.append((Disk.write, path, data))

    def rename(self, old, new):
        self.step("rename", new)
        self.renames.append((old, new))

    def sync(self, path):
        self.step("sync", path)
        if path.is_dir():
            for old, new in self.renames:
                old.replace(new)
            self.renames = []
            return
        for put, where, data in self.bytes:
            put(self, where, data)
        self.bytes = []


class Simulation:
    """A run that hands over only what is charged, and remembers what it handed over."""

    def __init__(self, folder):
        self.folder = folder
        self.visits = Counter()
        self.charges = 0

    def run(self, disk, *, terms=TERMS, batches=BATCHES):
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


def whole(folder, terms=TERMS, batches=BATCHES):
    with Ledger.create(folder, "server", terms=terms, disk=Counting()) as ledger:
        for batch in batches:
            ledger.charge(batch)
    return folder / "server.jsonl", folder / "server.head.json"


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


@pytest.mark.parametrize("terms", [TERMS, WHOLE_DEVICES], ids=["example", "device"])
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


TORN = b'{"body":{"attempt":1,"dev'
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
        "from privacy.ledger.ledger import Ledger\n"
        "from tests.privacy.ledger import test_ledger as t\n"
        "with Ledger.create(Path(sys.argv[1]), 'server', terms=t.TERMS) as ledger:\n"
        "    for n in itertools.count(1):\n"
        "        ledger.charge([t.visit(n, 7)])\n"
        "        print(n, flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        for _ in range(5):
            process.stdout.readline()
        with pytest.raises(LedgerError, match="open in another process"):
            Ledger.open(tmp_path, "server")
        process.send_signal(signal.SIGKILL)
        released = 5 + len(process.stdout.read().splitlines())

    with Ledger.open(tmp_path, "server") as ledger:
        assert released <= ledger.spent.of(7) <= released + 1
        ledger.charge([visit(99, 7)])


def altered(data, where, generator):
    value = (data[where] + int(generator.integers(1, 256))) % 256
    return data[:where] + bytes([value]) + data[where + 1 :]


def places(data):
    """Every class of positions of a ledger: each part of a line, and the ends of lines."""
    text = data.decode()
    patterns = {
        "key": r'"(?:attempt|devices|kind|round|what|body|hash|number|rate|unit)"',
        "hash": r'(?<="hash":")[0-9a-f]{64}',
        "number": r'(?<="number":)\d+',
        "value": r"(?<=:)[\d.e-]+",
        "devices": r"\[[\d,]*\]",
        "punctuation": r"[{}:,]",
        "end of a line": r"\n",
        "anywhere": r"(?s).",
    }
    return {
        name: [i for found in re.finditer(pattern, text) for i in range(*found.span())]
        for name, pattern in patterns.items()
    }


def test_each_of_500_changed_bytes_is_found_and_its_line_named(tmp_path):
    generator = np.random.default_rng(20261)
    ledger, head = whole(tmp_path, batches=BATCHES * 7)
    good, pointer = ledger.read_bytes(), head.read_bytes()
    classes = list(places(good).values())
    assert all(classes)
    for number in range(400):
        where = int(generator.choice(classes[number % len(classes)]))
        ledger.write_bytes(altered(good, where, generator))
        line = good[:where].count(b"\n") + 1
        with pytest.raises(LedgerError, match=rf"server\.jsonl, line {line}: ") as refusal:
            Ledger.open(tmp_path, "server")
        first, last = map(int, re.search(r"bytes (\d+) to (\d+)", str(refusal.value)).groups())
        assert first <= where <= last
    ledger.write_bytes(good)
    for number in range(100):
        where = number % len(pointer)
        head.write_bytes(altered(pointer, where, generator))
        with pytest.raises(LedgerError, match=r"server\.head\.json") as refusal:
            Ledger.open(tmp_path, "server")
        cut_off = "lines were cut off" in str(refusal.value)
        assert cut_off or f"line 1: byte {where} " in str(refusal.value)
    head.write_bytes(pointer)
    assert ledger.read_bytes() == good
    Ledger.open(tmp_path, "server").close()


def test_each_of_64_truncations_below_the_head_is_found(tmp_path):
    generator = np.random.default_rng(20262)
    ledger, _ = whole(tmp_path, batches=BATCHES * 3)
    good = ledger.read_bytes()
    ends = [i + 1 for i, byte in enumerate(good[:-1]) if byte == ord("\n")]
    cuts = [0, len(good) - 1, *ends, *generator.integers(1, len(good), 64)][:64]
    for cut in cuts:
        ledger.write_bytes(good[:cut])
        with pytest.raises(LedgerError, match=r"server\.jsonl.*(line|empty).*restore"):
            Ledger.open(tmp_path, "server")
        assert ledger.stat().st_size == cut


@pytest.mark.parametrize("lost", ["server.jsonl", "server.head.json"])
def test_a_ledger_or_a_head_that_is_missing_is_named(tmp_path, lost):
    whole(tmp_path)
    (tmp_path / lost).unlink()

    with pytest.raises(LedgerError, match=rf"{lost} is missing.*restore"):
        Ledger.open(tmp_path, "server")


def test_a_ledger_and_head_written_anew_are_found_by_a_head_kept_elsewhere(tmp_path):
    (tmp_path / "forged").mkdir()
    whole(tmp_path / "forged", batches=BATCHES[:1])
    with Ledger.create(tmp_path, "server", terms=TERMS) as ledger:
        ledger.charge(BATCHES[0])
        kept = ledger.head
        ledger.charge(BATCHES[1])
    Ledger.open(tmp_path, "server", kept=kept).close()
    for longer in (dataclasses.replace(kept, count=9), dataclasses.replace(kept, count=1)):
        with pytest.raises(LedgerError, match=rf"head was kept at line {longer.count}"):
            Ledger.open(tmp_path, "server", kept=longer)
    with pytest.raises(LedgerError, match="head was kept at line 9"):
        examine(tmp_path / "forged", "server", kept=dataclasses.replace(kept, count=9))


def test_one_record_beyond_the_head_counts_as_spent(tmp_path):
    _, head = whole(tmp_path, batches=BATCHES[:1])
    before = head.read_bytes()
    with Ledger.open(tmp_path, "server") as ledger:
        ledger.charge([visit(2, 1)])
        end = ledger.head
    head.write_bytes(before)

    disk = Counting()
    with Ledger.open(tmp_path, "server", disk=disk) as ledger:
        assert ledger.spent.of(1) == 2
        assert ledger.head == end
    # The line may not be durable yet: it has to be before the head that counts it.
    assert disk.steps[0] == ("sync", "server.jsonl")
    assert examine(tmp_path, "server").head == end


def test_a_torn_line_is_kept_as_evidence_and_counts_for_every_device(tmp_path):
    ledger, _ = whole(tmp_path)
    Disk().append(ledger, TORN)
    found = examine(tmp_path, "server")
    assert found.spent.unknown == 1

    with Ledger.open(tmp_path, "server") as opened:
        assert opened.spent == found.spent
        assert opened.spent.of(1) == 4
        assert opened.spent.of(11) == 1
    unknown = examine(tmp_path, "server").lines[-1].record
    assert unknown == Unknown(
        charges=1, evidence="server.torn-1", digest=hashlib.sha256(TORN).hexdigest()
    )
    assert (tmp_path / "server.torn-1").read_bytes() == TORN


def test_a_second_torn_line_is_kept_beside_the_first(tmp_path):
    ledger, _ = whole(tmp_path)
    for torn in (b"{", b'{"b'):
        Disk().append(ledger, torn)
        Ledger.open(tmp_path, "server").close()

    assert examine(tmp_path, "server").spent.unknown == 2
    assert (tmp_path / "server.torn-2").read_bytes() == b'{"b'


def test_every_line_begun_in_torn_bytes_counts(tmp_path):
    ledger, _ = whole(tmp_path)
    Disk().append(ledger, b"a line\nanother\nthe third")

    with Ledger.open(tmp_path, "server") as opened:
        assert opened.spent.unknown == 3


def test_the_chain_is_the_hash_of_the_hash_before_and_the_body(tmp_path):
    ledger, head = whole(tmp_path, batches=BATCHES[:1])
    previous = "0" * 64
    for number, text in enumerate(ledger.read_text().splitlines(), start=1):
        line = json.loads(text)
        record = [TERMS, BATCHES[0][0]][number - 1]
        body = to_line(record)
        previous = hashlib.sha256((previous + body).encode()).hexdigest()
        assert line == {"body": json.loads(body), "hash": previous, "number": number}
    assert json.loads(head.read_text()) == {"count": 2, "hash": previous}


def test_ten_thousand_devices_are_one_line_and_one_sync_of_the_ledger(tmp_path):
    disk = Counting()
    with Ledger.create(tmp_path, "devices", terms=TERMS, disk=disk) as ledger:
        disk.steps.clear()
        ledger.charge([visit(1, *range(10_000))])

    assert [name for kind, name in disk.steps if kind == "sync"].count("devices.jsonl") == 1
    assert (tmp_path / "devices.jsonl").read_bytes().count(b"\n") == 2
    assert examine(tmp_path, "devices").spent.of(9_999) == 1


def test_a_replay_is_charged_again(tmp_path):
    with Ledger.create(tmp_path, "server", terms=TERMS) as ledger:
        ledger.charge([visit(1, 1)])
        ledger.charge([visit(1, 1)])

        assert ledger.spent.of(1) == 2


def test_no_charges_write_nothing(tmp_path):
    disk = Counting()
    with Ledger.create(tmp_path, "server", terms=TERMS, disk=disk) as ledger:
        disk.steps.clear()
        ledger.charge([])

    assert not disk.steps


def test_a_ledger_that_exists_is_not_begun_again(tmp_path):
    ledger, _ = whole(tmp_path)
    good = ledger.read_bytes()

    with pytest.raises(LedgerError, match=r"server\.jsonl exists already; open it"):
        Ledger.create(tmp_path, "server", terms=TERMS)
    assert ledger.read_bytes() == good
    ledger.unlink()
    with pytest.raises(LedgerError, match=r"server\.head\.json exists already"):
        Ledger.create(tmp_path, "server", terms=TERMS)


def test_a_charge_that_names_devices_is_refused_where_their_cohort_is_secret(tmp_path):
    with Ledger.create(tmp_path, "server", terms=WHOLE_DEVICES) as ledger:
        with pytest.raises(LedgerError, match="leave 'devices' empty"):
            ledger.charge([visit(1), visit(1, 3)])
        ledger.charge([visit(1)])
        assert ledger.spent.charges == 1


def test_two_ledgers_of_one_folder_are_apart_but_each_is_open_once(tmp_path):
    with (
        Ledger.create(tmp_path, "server", terms=WHOLE_DEVICES),
        Ledger.create(tmp_path, "devices", terms=TERMS),
        pytest.raises(LedgerError, match=r"devices\.jsonl is open in another process"),
    ):
        Ledger.open(tmp_path, "devices")


class Full(Counting):
    """A disk without room: half of what is appended fits."""

    def append(self, path, data):
        super().append(path, data[: len(data) // 2])
        raise OSError(28, os.strerror(28))


def test_after_a_failed_write_nothing_is_charged_before_the_ledger_is_opened_anew(tmp_path):
    whole(tmp_path)
    ledger = Ledger.open(tmp_path, "server", disk=Full())

    with pytest.raises(LedgerError, match=r"server\.jsonl cannot be written: No space"):
        ledger.charge([visit(3, 1)])
    with pytest.raises(LedgerError, match="is closed; open it anew"):
        ledger.charge([visit(3, 1)])
    with Ledger.open(tmp_path, "server") as again:
        assert again.spent.unknown == 1


def test_a_ledger_changed_while_it_is_open_is_charged_no_more(tmp_path):
    ledger, _ = whole(tmp_path)
    opened = Ledger.open(tmp_path, "server")
    Disk().append(ledger, b"x")

    with pytest.raises(LedgerError, match="changed by another program"):
        opened.charge([visit(3, 1)])


def test_a_ledger_taken_away_while_it_is_open_is_not_begun_anew(tmp_path):
    ledger, _ = whole(tmp_path)
    opened = Ledger.open(tmp_path, "server")
    ledger.unlink()

    with pytest.raises(LedgerError, match="cannot be written"):
        opened.charge([visit(3, 1)])
    assert not ledger.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LedgerError, match=r"nowhere cannot hold a ledger.*make it first"):
        Ledger.open(tmp_path / "nowhere", "server")


@pytest.mark.parametrize(("count", "digest"), [(0, "0" * 64), (True, "0" * 64), (1, "0")])
def test_what_is_no_head_is_refused(count, digest):
    with pytest.raises(LedgerError, match="not the head of a ledger"):
        Head(count, digest)
