"""A device's own ledger, without Flower: what is on disk, and what a crash leaves of it."""

import hashlib
import io
import threading
from dataclasses import replace

import numpy as np
import pytest
from dp_accounting import get_epsilon_gaussian
from rich.console import Console

from client.consent import device_ledger as module
from client.consent.configured_floor import floor
from client.consent.device_ledger import device_ledger
from client.consent.operator import OperatorPolicy
from privacy.ledger.chain import LedgerError, examine
from privacy.ledger.disk import Disk
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge
from privacy.mechanisms.base.unprotected import NoDevice, NoExample
from privacy.mechanisms.independent.settings import GaussianSettings
from privacy.mechanisms.local_gaussian import LocalSettings
from privacy.mechanisms.moments.settings import DpSgdSettings
from privacy.statements.recomputation import state
from protocol.messages import Task
from simulations.ledgers.run_ledger import show_run

# Half of the moments, σ = 1, two steps a visit, δ = 1e-5: ε is 4.85, 6.68, 8.11 after 1, 2, 3
# visits.
DPSGD = DpSgdSettings(
    epsilon=None,
    noise_multiplier=1.0,
    delta=1e-5,
    clip=0.3,
    numbers="float64",
    max_participations=4,
)
LOCAL = LocalSettings(
    epsilon=None,
    noise_multiplier=6.0,
    delta=1e-5,
    clip=2.0,
    max_participations=3,
)
GAUSSIAN = GaussianSettings(
    epsilon=None,
    noise_multiplier=1.0,
    delta=1e-4,
    clip=2.0,
    clipping="whole",
    numbers="float64",
    largest_cohort=None,
    noise_cohort=None,
    noise_population=None,
)
UNITS = ("device", "example")
OWN = 3


@pytest.fixture(scope="session")
def text(lab):
    def made(*, example=DPSGD, device=LOCAL, **settings):
        return lab.configuration(example=example, device=device, **settings)

    return made


def own(folder, written):
    """Where the ledgers of a configuration are."""
    return folder / hashlib.sha256(written.encode()).hexdigest()


def spent(folder, written, unit, *, device=OWN):
    """The visits that the file alone says, with what is torn."""
    return examine(own(folder, written), unit).spent.of(device)


@pytest.fixture
def task(lab):
    return Task(
        round=4,
        attempt=1,
        parameters=np.zeros(3, np.float32),
        digest="abc",
        frozen=None,
        terms=lab.terms(),
    )


@pytest.fixture
def visit(task, tmp_path):
    """One visit; by default the device remembers nothing but its ledger."""

    def made(written, *, device=OWN, remembered=0, **visit):
        with device_ledger(tmp_path, written, device=device) as ledger:
            visits = max(remembered, ledger.visits) + 1
            ledger.charge(replace(task, **visit), visits=visits)
        return visits

    return made


def test_each_unit_that_the_device_protects_has_a_file_of_the_floors_terms(
    visit, tmp_path, text
):
    written = text(example=replace(DPSGD, epsilon=8.2, noise_multiplier=None))
    assert visit(written) == 1
    floored = floor(written, OperatorPolicy())
    example, device = (examine(own(tmp_path, written), unit) for unit in ("example", "device"))
    assert (example.terms.noise_multiplier, example.terms.clip) == (
        floored.noise_multiplier,
        0.3,
    )
    assert (example.terms.rate, example.terms.steps, example.terms.delta) == (0.5, 2, 1e-5)
    assert (device.terms.noise_multiplier, device.terms.clip) == (6.0, 2.0)
    assert (device.terms.steps, device.terms.delta) == (1, 1e-5)
    assert {one.terms.noise for one in (example, device)} == {"secure"}
    for found in (example, device):
        (charge,) = [line.record for line in found.lines[1:]]
        assert charge == Charge(round=4, attempt=1, devices=(OWN,), what="update")


def test_the_ledger_of_integers_tells_their_epsilon_and_is_none_of_floats(
    visit, tmp_path, text
):
    integers = replace(DPSGD, numbers="integers")
    written = text(example=integers, device=NoDevice())
    assert visit(written) == 1
    found = examine(own(tmp_path, written), "example")
    assert found.terms.sampler == "poisson, integers"
    assert found.terms.public["steps in a clip"] == 2**18
    stated = state(found.terms, found.spent)
    assert stated.worst.pld == pytest.approx(4.85, abs=0.01)
    assert stated.worst.agree
    floats = text(device=NoDevice())
    own(tmp_path, floats).mkdir()
    Ledger.create(own(tmp_path, floats), "example", terms=found.terms).close()
    with pytest.raises(LedgerError, match="has other terms than the configuration"):
        visit(floats)


@pytest.mark.parametrize(
    ("example", "device", "files"),
    [
        (DPSGD, NoDevice(), ["example"]),
        (DPSGD, GAUSSIAN, ["example"]),
        (NoExample(), LOCAL, ["device"]),
        (DPSGD, LOCAL, ["device", "example"]),
        (NoExample(), GAUSSIAN, []),
        (NoExample(), NoDevice(), []),
    ],
)
def test_units_that_the_device_does_not_protect_have_none(
    visit, tmp_path, example, device, files, text
):
    visit(text(example=example, device=device))
    assert sorted(path.stem for path in tmp_path.rglob("*.jsonl")) == files
    assert bool(files) == any(tmp_path.iterdir())


def test_without_a_folder_a_ledger_counts_nothing_and_writes_nothing(task, monkeypatch, text):
    monkeypatch.setattr(Ledger, "__init__", None)
    with device_ledger(None, text(), device=OWN) as ledger:
        ledger.charge(task, visits=7)
        assert ledger.visits == 0


def test_a_ledger_that_is_only_read_is_not_begun(tmp_path, text):
    with device_ledger(tmp_path, text(), device=OWN) as ledger:
        assert ledger.visits == 0
    assert not list(tmp_path.iterdir())


def test_the_count_goes_on_for_a_device_and_a_configuration(visit, text):
    first, second = text(), text(seed=1)
    assert [visit(first, round=number) for number in (1, 2, 3)] == [1, 2, 3]
    assert visit(first, device=4) == 1
    assert visit(second) == 1
    assert visit(first) == 4


def test_a_replay_is_charged_again(visit, tmp_path, text):
    assert [visit(text()) for _ in range(2)] == [1, 2]
    assert spent(tmp_path, text(), "example") == 2


def test_a_younger_ledger_is_charged_for_the_visits_that_the_device_remembers(
    visit, tmp_path, text
):
    assert visit(text(), remembered=2) == 3
    assert [spent(tmp_path, text(), unit) for unit in UNITS] == [3, 3]
    assert visit(text(), remembered=1) == 4


def test_the_ledger_command_verifies_both_files_and_computes_their_epsilon(
    visit, tmp_path, text
):
    written = text()
    for _ in range(2):
        visit(written)
    local = get_epsilon_gaussian(6.0 / (2 * 2**0.5), 1e-5)
    for unit, epsilon in (("example", "6.68"), ("device", f"{local:.2f}")):
        console = Console(record=True, width=100, file=io.StringIO())
        assert show_run(own(tmp_path, written) / f"{unit}.jsonl", console, lines=True)
        said = console.export_text()
        assert f"{epsilon} by" in said
        assert "1 device(s) (3) paid for an update" in said


def test_a_torn_line_counts_as_a_visit(visit, tmp_path, text):
    written = text()
    visit(written)
    with (own(tmp_path, written) / "example.jsonl").open("ab") as file:
        file.write(b'{"body":{"attempt":1,"dev')
    with device_ledger(tmp_path, written, device=OWN) as ledger:
        assert ledger.visits == 2
    assert visit(written) == 3
    # The other file, which knew of one visit, now counts three too.
    assert [spent(tmp_path, written, unit) for unit in UNITS] == [3, 3]


@pytest.mark.parametrize("unit", UNITS)
def test_a_changed_byte_in_any_file_is_an_error_and_nothing_is_charged(
    visit, tmp_path, unit, text
):
    written = text()
    visit(written)
    path = own(tmp_path, written) / f"{unit}.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"round":4', b'"round":5'))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json*")}
    with pytest.raises(LedgerError, match=f"{unit}.jsonl, line 2"):
        visit(written)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json*")} == before


def test_a_file_of_which_only_the_head_is_left_does_not_begin_anew(visit, tmp_path, text):
    visit(text())
    (own(tmp_path, text()) / "example.jsonl").unlink()
    with pytest.raises(LedgerError, match=r"example\.jsonl is missing"):
        visit(text())


def test_after_an_error_the_files_are_free_again(visit, tmp_path, text):
    written = text()
    visit(written)
    path = own(tmp_path, written) / "device.jsonl"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b'"round":4', b'"round":5'))
    with pytest.raises(LedgerError):
        visit(written)
    path.write_bytes(kept)
    assert visit(written) == 2


@pytest.mark.parametrize(
    ("noise", "good"), [(0.9, True), (1.0, True), (1.0 + 1e-10, True), (1.1, False)]
)
def test_a_ledger_whose_charge_costs_less_than_a_visit_is_an_error(
    visit, tmp_path, noise, good, text
):
    written = text(device=NoDevice())
    ((unit, terms),) = module._terms(written)
    own(tmp_path, written).mkdir()
    old = replace(terms, code="0.0.1", noise_multiplier=noise)
    Ledger.create(own(tmp_path, written), unit, terms=old).close()
    if good:
        assert visit(written) == 1
    else:
        with pytest.raises(LedgerError, match="has other terms than the configuration"):
            visit(written)


@pytest.mark.parametrize(
    "term", [{"delta": 1e-4}, {"steps": 1}, {"clip": 1.0}, {"noise": "insecure_seeded"}]
)
def test_a_ledger_of_other_terms_is_an_error(visit, tmp_path, term, text):
    written = text(device=NoDevice())
    ((unit, terms),) = module._terms(written)
    own(tmp_path, written).mkdir()
    Ledger.create(own(tmp_path, written), unit, terms=replace(terms, **term)).close()
    with pytest.raises(LedgerError, match="has other terms than the configuration"):
        visit(written)


def test_a_ledger_that_another_process_has_open_is_an_error(visit, tmp_path, text):
    visit(text())
    with (
        Ledger.open(own(tmp_path, text()), "example"),
        pytest.raises(LedgerError, match="open in another process"),
    ):
        visit(text())


def test_a_folder_that_cannot_hold_a_ledger_is_an_error(visit, tmp_path, text):
    own(tmp_path, text()).write_text("in the way")
    with pytest.raises(LedgerError, match="cannot be kept"):
        visit(text())


def test_threads_take_turns_and_none_fails(visit, tmp_path, text):
    written, threads = text(), []
    for device in (1, 2) * 5:
        names = {"device": device}
        threads.append(threading.Thread(target=visit, args=(written,), kwargs=names))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for unit in UNITS:
        assert [spent(tmp_path, written, unit, device=device) for device in (1, 2)] == [5, 5]


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
    visit, tmp_path, half, text
):
    steps = steps_of_two_visits(visit, text(seed=99))
    assert steps > 30
    for stop in range(steps):
        written = text(seed=stop)
        with pytest.MonkeyPatch.context() as patch:
            Stopping(stop, half=half).patch(patch)
            trained = trained_until_killed(visit, written)
        with pytest.MonkeyPatch.context() as patch:
            Stopping(None, half=False).patch(patch)
            with device_ledger(tmp_path, written, device=OWN) as ledger:
                assert trained <= ledger.visits <= trained + 1
            count = visit(written)
        assert [spent(tmp_path, written, unit) for unit in UNITS] == [count, count]
