"""A device's own ledger, without Flower: what is on disk, and what is no ledger of its own."""

import io
import threading
from dataclasses import replace

import pytest
from dp_accounting import get_epsilon_gaussian
from rich.console import Console

from client.consent import device_ledger as module
from client.consent.configured_floor import floor
from client.consent.device_ledger import device_ledger
from client.consent.operator import OperatorPolicy
from privacy.ledger.chain import LedgerError, examine
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge
from privacy.statements.recomputation import state
from simulations.ledgers.run_ledger import show_run

UNITS = ("device", "example")
OWN = 3


def test_each_unit_that_the_device_protects_has_a_file_of_the_floors_terms(
    visit, two_units, dpsgd, folder_of
):
    written = two_units(example=replace(dpsgd, epsilon=8.2, noise_multiplier=None))
    assert visit(written) == 1
    floored = floor(written, OperatorPolicy())
    example, device = (examine(folder_of(written), unit) for unit in ("example", "device"))
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
    visit, two_units, dpsgd, folder_of
):
    integers = replace(dpsgd, numbers="integers")
    written = two_units(example=integers, device=None)
    assert visit(written) == 1
    found = examine(folder_of(written), "example")
    assert found.terms.sampler == "poisson, integers"
    assert found.terms.public["steps in a clip"] == 2**18
    stated = state(found.terms, found.spent)
    assert stated.worst.pld == pytest.approx(4.85, abs=0.01)
    assert stated.worst.agree
    floats = two_units(device=None)
    folder_of(floats).mkdir()
    Ledger.create(folder_of(floats), "example", terms=found.terms).close()
    with pytest.raises(LedgerError, match="has other terms than the configuration"):
        visit(floats)


@pytest.mark.parametrize(
    ("units", "files"),
    [
        ({"example": "dpsgd"}, ["example"]),
        ({"example": "dpsgd", "device": "gaussian"}, ["example"]),
        ({"device": "local"}, ["device"]),
        ({"example": "dpsgd", "device": "local"}, ["device", "example"]),
        ({"device": "gaussian"}, []),
        ({}, []),
    ],
)
def test_units_that_the_device_does_not_protect_have_none(
    visit, tmp_path, two_units, units, files, request
):
    example, device = (
        units.get(unit) and request.getfixturevalue(units[unit])
        for unit in ("example", "device")
    )
    visit(two_units(example=example, device=device))
    assert sorted(path.stem for path in tmp_path.rglob("*.jsonl")) == files
    assert bool(files) == any(tmp_path.iterdir())


def test_without_a_folder_a_ledger_counts_nothing_and_writes_nothing(
    task, monkeypatch, two_units
):
    monkeypatch.setattr(Ledger, "__init__", None)
    with device_ledger(None, two_units(), device=OWN) as ledger:
        ledger.charge(task, visits=7)
        assert ledger.visits == 0


def test_a_ledger_that_is_only_read_is_not_begun(tmp_path, two_units):
    with device_ledger(tmp_path, two_units(), device=OWN) as ledger:
        assert ledger.visits == 0
    assert not list(tmp_path.iterdir())


def test_the_count_goes_on_for_a_device_and_a_configuration(visit, two_units):
    first, second = two_units(), two_units(seed=1)
    assert [visit(first, round=number) for number in (1, 2, 3)] == [1, 2, 3]
    assert visit(first, device=4) == 1
    assert visit(second) == 1
    assert visit(first) == 4


def test_a_replay_is_charged_again(visit, two_units, spent):
    assert [visit(two_units()) for _ in range(2)] == [1, 2]
    assert spent(two_units(), "example") == 2


def test_a_younger_ledger_is_charged_for_the_visits_that_the_device_remembers(
    visit, two_units, spent
):
    assert visit(two_units(), remembered=2) == 3
    assert [spent(two_units(), unit) for unit in UNITS] == [3, 3]
    assert visit(two_units(), remembered=1) == 4


def test_the_ledger_command_verifies_both_files_and_computes_their_epsilon(
    visit, two_units, folder_of
):
    written = two_units()
    for _ in range(2):
        visit(written)
    local = get_epsilon_gaussian(6.0 / (2 * 2**0.5), 1e-5)
    for unit, epsilon in (("example", "6.68"), ("device", f"{local:.2f}")):
        console = Console(record=True, width=100, file=io.StringIO())
        assert show_run(folder_of(written) / f"{unit}.jsonl", console, lines=True)
        said = console.export_text()
        assert f"{epsilon} by" in said
        assert "1 device(s) (3) paid for an update" in said


@pytest.mark.parametrize("unit", UNITS)
def test_a_changed_byte_in_any_file_is_an_error_and_nothing_is_charged(
    visit, tmp_path, unit, two_units, folder_of
):
    written = two_units()
    visit(written)
    path = folder_of(written) / f"{unit}.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"round":4', b'"round":5'))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json*")}
    with pytest.raises(LedgerError, match=f"{unit}.jsonl, line 2"):
        visit(written)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json*")} == before


def test_a_file_of_which_only_the_head_is_left_does_not_begin_anew(visit, two_units, folder_of):
    visit(two_units())
    (folder_of(two_units()) / "example.jsonl").unlink()
    with pytest.raises(LedgerError, match=r"example\.jsonl is missing"):
        visit(two_units())


def test_after_an_error_the_files_are_free_again(visit, two_units, folder_of):
    written = two_units()
    visit(written)
    path = folder_of(written) / "device.jsonl"
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
    visit, noise, good, two_units, folder_of
):
    written = two_units(device=None)
    ((unit, terms),) = module._terms(written)
    folder_of(written).mkdir()
    old = replace(terms, code="0.0.1", noise_multiplier=noise)
    Ledger.create(folder_of(written), unit, terms=old).close()
    if good:
        assert visit(written) == 1
    else:
        with pytest.raises(LedgerError, match="has other terms than the configuration"):
            visit(written)


@pytest.mark.parametrize(
    "term", [{"delta": 1e-4}, {"steps": 1}, {"clip": 1.0}, {"noise": "insecure_seeded"}]
)
def test_a_ledger_of_other_terms_is_an_error(visit, term, two_units, folder_of):
    written = two_units(device=None)
    ((unit, terms),) = module._terms(written)
    folder_of(written).mkdir()
    Ledger.create(folder_of(written), unit, terms=replace(terms, **term)).close()
    with pytest.raises(LedgerError, match="has other terms than the configuration"):
        visit(written)


def test_a_ledger_that_another_process_has_open_is_an_error(visit, two_units, folder_of):
    visit(two_units())
    with (
        Ledger.open(folder_of(two_units()), "example"),
        pytest.raises(LedgerError, match="open in another process"),
    ):
        visit(two_units())


def test_a_folder_that_cannot_hold_a_ledger_is_an_error(visit, two_units, folder_of):
    folder_of(two_units()).write_text("in the way")
    with pytest.raises(LedgerError, match="cannot be kept"):
        visit(two_units())


def test_threads_take_turns_and_none_fails(visit, two_units, spent):
    written, threads = two_units(), []
    for device in (1, 2) * 5:
        names = {"device": device}
        threads.append(threading.Thread(target=visit, args=(written,), kwargs=names))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for unit in UNITS:
        assert [spent(written, unit, device=device) for device in (1, 2)] == [5, 5]
