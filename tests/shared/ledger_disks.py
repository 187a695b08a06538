"""A ledger of three batches, and disks that note every step or fail at one."""

import os

from ledger_terms import MOMENTS

from privacy.ledger.disk import Disk
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge

TORN = b'{"body":{"attempt":1,"dev'


def visit(number, *devices, attempt=1):
    return Charge(round=number, attempt=attempt, devices=devices, what="update")


BATCHES = [[visit(1, 1, 2, 3)], [visit(2, 1), visit(2, 4, 5)], [visit(2, 1, 2, attempt=2)]]


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


class Killed(BaseException):
    """The process is gone."""


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


class Full(Counting):
    """A disk without room: half of what is appended fits."""

    def append(self, path, data):
        super().append(path, data[: len(data) // 2])
        raise OSError(28, os.strerror(28))


def whole(folder, terms=MOMENTS, batches=BATCHES):
    """A ledger that was closed in order: where its lines and its head are."""
    with Ledger.create(folder, "server", terms=terms, disk=Counting()) as ledger:
        for batch in batches:
            ledger.charge(batch)
    return folder / "server.jsonl", folder / "server.head.json"
