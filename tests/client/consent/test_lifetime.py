"""The operator's largest ε over every configuration that a device ever took part in."""

import math
import os
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from client.consent.agreement import DeviceState
from client.consent.configured_floor import LARGEST_DELTA
from client.consent.device_ledger import device_ledger
from privacy.ledger.chain import examine
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge
from privacy.statements import composition, renyi_filter
from protocol.messages import Declined, DeclineReason

OWN, MOST = 3, 4.0


@pytest.fixture(scope="session")
def dpsgd(dpsgd):
    return replace(dpsgd, noise_multiplier=2.0, max_participations=50)


@pytest.fixture(scope="session")
def local(local):
    return replace(local, noise_multiplier=8.0, max_participations=50)


@pytest.fixture(scope="session")
def text(text, local):
    """Local noise alone, unless something else is asked for."""
    return lambda **settings: text(**{"example": None, "device": local} | settings)


@pytest.fixture
def visit(task, tmp_path):
    """Makes one visit where the operator's limit allows it; says whether it did."""

    def made(written, *, device=OWN, most=MOST):
        with device_ledger(tmp_path, written, device=device) as ledger:
            state = DeviceState(
                participations=ledger.visits + 1, digest="abc", configuration=""
            )
            found = ledger.within(state, task, most=most)
            if isinstance(found, Declined):
                assert found == Declined(round=4, attempt=1, reason=DeclineReason.BUDGET_SPENT)
                return False
            ledger.charge(task, visits=found.participations)
            return True

    return made


def visits_at_most(most, noise):
    """How many visits of local noise the filter allows, by its formula.

    D = α · (2/z)²/2 of a visit; ε = k·D + ln(1 − 1/α) − (ln δ + ln α)/(α − 1).
    """
    root = math.sqrt(math.log(1e5))
    order = round(1 + root / (math.sqrt(root**2 + most) - root))
    of_visit = order * (2 / noise) ** 2 / 2
    rest = math.log1p(-1 / order) - (math.log(1e-5) + math.log(order)) / (order - 1)
    return math.floor((most - rest) / of_visit)


def test_two_configurations_together_have_the_visits_of_one_limit(visit, text):
    first, second = text(seed=1), text(seed=2)
    allowed = visits_at_most(MOST, 8.0)
    assert allowed > 5
    assert all(visit(first) for _ in range(allowed - 2))
    assert [visit(second) for _ in range(4)] == [True, True, False, False]
    assert not visit(first)
    assert not visit(text(seed=3))


def test_what_is_allowed_together_costs_no_more_than_the_limit_by_distributions(
    visit, text, dpsgd, folder_of
):
    """The filter is the stricter one: the composed ε of what it allows is below the limit."""
    written = [
        text(seed=int(n), example=replace(dpsgd, noise_multiplier=n), device=None)
        for n in (2.0, 3.0, 4.0)
    ]
    assert all(visit(one) for one in written)
    while sum(map(visit, written)):
        pass
    found = [examine(folder_of(one), "example") for one in written]
    spent = composition.composed([(one.terms, one.spent.of(OWN)) for one in found])
    assert 0.8 * MOST < spent.reported < 0.95 * MOST
    assert 0.9 * MOST < spent.rdp <= MOST


@pytest.mark.parametrize(("noise", "room"), [(3.0, True), (0.7, False)])
def test_steps_in_integers_count_like_those_in_floats(visit, noise, room, text, dpsgd):
    integers = replace(dpsgd, numbers="integers", noise_multiplier=noise)
    assert visit(text(seed=1, example=integers, device=None))
    assert visit(text(seed=2, example=dpsgd, device=None)) == room


def test_with_one_configuration_its_own_limit_is_the_limit(visit, text):
    assert all(visit(text(seed=1), most=0.5) for _ in range(3))


def test_without_a_limit_nothing_is_composed(visit, tmp_path, text):
    (tmp_path / "example.jsonl").write_text("a ledger of nothing")
    assert visit(text(seed=1), most=None)


def test_visits_of_another_device_in_the_same_folder_are_its_own(visit, text):
    first, second = text(seed=1), text(seed=2)
    assert all(visit(first, device=4) for _ in range(visits_at_most(MOST, 8.0) + 5))
    assert visit(second)
    assert not visit(second, device=4)


def test_local_noise_elsewhere_counts_for_moments_too(visit, text, dpsgd, local):
    """Local noise of 1.5 clips is ε = 6.4 in one visit: no room for steps beside it."""
    loud = replace(local, noise_multiplier=1.5)
    assert visit(text(seed=1, device=loud))
    assert not visit(text(seed=2, example=dpsgd, device=None))


def test_steps_elsewhere_count_for_moments_where_noise_is_local(visit, text, dpsgd):
    quiet = replace(dpsgd, noise_multiplier=0.7)
    assert visit(text(seed=1, example=quiet, device=None))
    assert not visit(text(seed=2))


def test_an_older_version_that_charged_for_less_noise_is_counted_as_it_was(
    visit, text, folder_of
):
    written = text(seed=1)
    assert visit(written)
    terms = examine(folder_of(written), "device").terms
    old = text(seed=2)
    folder_of(old).mkdir()
    weak = replace(terms, code="0.0.1", noise_multiplier=2.5)
    with Ledger.create(folder_of(old), "device", terms=weak) as ledger:
        ledger.charge([Charge(round=1, attempt=1, devices=(OWN,), what="update")])
    assert visits_at_most(MOST, 2.5) == 1
    assert not visit(old)


def _damaged(folder):
    path = folder / "device.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"round":4', b'"round":7'))


def _emptied(folder):
    (folder / "device.jsonl").write_bytes(b"")


def _head_alone(folder):
    (folder / "device.jsonl").unlink()


def _lock_alone(folder):
    (folder / "device.jsonl").unlink()
    (folder / "device.head.json").unlink()


def _without_head(folder):
    (folder / "device.head.json").unlink()


def _of_no_unit(folder):
    (folder / "device.jsonl").rename(folder / "album.jsonl")


def _of_no_configuration(folder):
    folder.rename(folder.with_name("kept-for-later"))


def _beside(folder):
    (folder / "device.jsonl").rename(folder.parent / "device.jsonl")


def _linked(folder):
    away = folder.parent.with_name("elsewhere")
    folder.rename(away)
    folder.symlink_to(away)


def _in_the_way(folder):
    (folder / "device.jsonl").unlink()
    (folder / "device.jsonl").mkdir()


LOST = [
    _damaged,
    _emptied,
    _head_alone,
    _lock_alone,
    _without_head,
    _of_no_unit,
    _of_no_configuration,
    _beside,
    _linked,
    _in_the_way,
]


@pytest.mark.parametrize("lose", LOST)
def test_what_cannot_be_counted_is_without_bound_and_named_in_the_devices_log(
    visit, tmp_path, caplog, lose, text, folder_of
):
    other = text(seed=1)
    assert visit(other)
    assert visit(other)
    lose(folder_of(other))
    assert not visit(text(seed=2))
    assert "max-epsilon cannot be kept: " in caplog.text
    assert str(tmp_path) in caplog.text


@pytest.mark.parametrize(
    "term", [{"sampler": "shuffle"}, {"noise": "insecure_seeded"}, {"noise_multiplier": 0.0}]
)
def test_terms_without_a_bound_are_without_bound(visit, term, text, folder_of):
    other = text(seed=1)
    assert visit(other)
    terms = examine(folder_of(other), "device").terms
    strange = folder_of(text(seed=9))
    strange.mkdir()
    with Ledger.create(strange, "device", terms=replace(terms, **term)) as ledger:
        assert visit(other)
        ledger.charge([Charge(round=1, attempt=1, devices=(OWN,), what="update")])
    assert not visit(other)


def test_a_folder_that_cannot_be_read_is_without_bound(visit, monkeypatch, text):
    assert visit(text(seed=1))
    walk = os.walk

    def closed(folder, *, onerror):
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return walk(folder)

    monkeypatch.setattr("client.consent.lifetime.os.walk", closed)
    assert not visit(text(seed=2))


@pytest.mark.skipif(sys.platform == "win32", reason="no lock on a folder")
def test_two_processes_do_not_visit_at_once_for_neither_would_count_the_other(
    visit, tmp_path, text
):
    import fcntl

    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    done = SimpleNamespace(visit=None)
    thread = threading.Thread(target=lambda: setattr(done, "visit", visit(text(seed=1))))
    thread.start()
    thread.join(timeout=0.2)
    assert thread.is_alive()
    os.close(held)
    thread.join()
    assert done.visit


def test_the_order_of_the_filter_depends_on_the_limit_alone():
    """Were it to follow from what was shown, divergences of several orders would be mixed."""
    assert renyi_filter.order(MOST, delta=LARGEST_DELTA) == 7
    assert renyi_filter.order(8.0, delta=LARGEST_DELTA) == 4
    assert renyi_filter.order(1e-9, delta=LARGEST_DELTA) == renyi_filter.LARGEST_ORDER
    assert renyi_filter.order(1e9, delta=LARGEST_DELTA) == 2
