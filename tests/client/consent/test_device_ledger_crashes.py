"""What a crash leaves of a device's ledger: never fewer visits than there were."""

import pytest

from client.consent.device_ledger import device_ledger
from privacy.ledger.disk import Disk

UNITS = ("device", "example")
OWN = 3


def test_a_torn_line_counts_as_a_visit(visit, tmp_path, two_units, spent, folder_of):
    written = two_units()
    visit(written)
    with (folder_of(written) / "example.jsonl").open("ab") as file:
        file.write(b'{"body":{"attempt":1,"dev')
    with device_ledger(tmp_path, written, device=OWN) as ledger:
        assert ledger.visits == 2
    assert visit(written) == 3
    # The other file, which knew of one visit, now counts three too.
    assert [spent(written, unit) for unit in UNITS] == [3, 3]


class Killed(BaseException):
    """The process is gone."""


class Stopping:
    """Kills at one step of the disk, before it or after half of its bytes; syncs are free."""

    def __init__(self, stop, *, half):
        self.steps, self.stop, self.half = 0, stop, half

    def patch(self, monkeypatch):
        append, write, rename = Disk.append, Disk.write, Disk.rename
        for name, does in (("append", append), ("write", write)):
            monkeypatch.setattr(Disk, name, self.writes(does))
        monkeypatch.setattr(Disk, "rename", self.renames(rename))
        monkeypatch.setattr(Disk, "sync", lambda disk, path: self.step())

    def step(self, half=lambda: None):
        if self.steps == self.stop:
            if self.half:
                half()
            raise Killed
        self.steps += 1

    def writes(self, does):
        def step(disk, path, data):
            self.step(lambda: does(disk, path, data[: len(data) // 2]))
            does(disk, path, data)

        return step

    def renames(self, does):
        def step(disk, old, new):
            self.step()
            does(disk, old, new)

        return step


def trained_until_killed(visit, written):
    """How many visits were charged in full, and so trained and sent."""
    trained = 0
    try:
        for _ in range(2):
            visit(written)
            trained += 1
    except Killed:
        return trained
    raise AssertionError("nothing was killed")


def steps_of_two_visits(visit, written):
    with pytest.MonkeyPatch.context() as patch:
        counting = Stopping(None, half=False)
        counting.patch(patch)
        visit(written), visit(written)
    return counting.steps


@pytest.mark.parametrize("half", [False, True])
def test_wherever_a_process_dies_the_recorded_visits_are_at_least_the_true_ones(
    visit, tmp_path, half, two_units, spent
):
    steps = steps_of_two_visits(visit, two_units(seed=99))
    assert steps > 30
    for stop in range(steps):
        written = two_units(seed=stop)
        with pytest.MonkeyPatch.context() as patch:
            Stopping(stop, half=half).patch(patch)
            trained = trained_until_killed(visit, written)
        with pytest.MonkeyPatch.context() as patch:
            Stopping(None, half=False).patch(patch)
            with device_ledger(tmp_path, written, device=OWN) as ledger:
                assert trained <= ledger.visits <= trained + 1
            count = visit(written)
        assert [spent(written, unit) for unit in UNITS] == [count, count]
