"""The ledger: begun once, open once, charged before what it pays for is handed over."""

import hashlib

import pytest
from ledger_disks import BATCHES, TORN, Counting, Full, visit, whole
from ledger_terms import COHORTS, MOMENTS

from privacy.ledger.chain import LedgerError, examine
from privacy.ledger.disk import Disk
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Unknown


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


def test_ten_thousand_devices_are_one_line_and_one_sync_of_the_ledger(tmp_path):
    disk = Counting()
    with Ledger.create(tmp_path, "devices", terms=MOMENTS, disk=disk) as ledger:
        disk.steps.clear()
        ledger.charge([visit(1, *range(10_000))])

    assert [name for kind, name in disk.steps if kind == "sync"].count("devices.jsonl") == 1
    assert (tmp_path / "devices.jsonl").read_bytes().count(b"\n") == 2
    assert examine(tmp_path, "devices").spent.of(9_999) == 1


def test_a_replay_is_charged_again(tmp_path):
    with Ledger.create(tmp_path, "server", terms=MOMENTS) as ledger:
        ledger.charge([visit(1, 1)])
        ledger.charge([visit(1, 1)])

        assert ledger.spent.of(1) == 2


def test_no_charges_write_nothing(tmp_path):
    disk = Counting()
    with Ledger.create(tmp_path, "server", terms=MOMENTS, disk=disk) as ledger:
        disk.steps.clear()
        ledger.charge([])

    assert not disk.steps


def test_a_ledger_that_exists_is_not_begun_again(tmp_path):
    ledger, _ = whole(tmp_path)
    good = ledger.read_bytes()

    with pytest.raises(LedgerError, match=r"server\.jsonl exists already; open it"):
        Ledger.create(tmp_path, "server", terms=MOMENTS)
    assert ledger.read_bytes() == good
    ledger.unlink()
    with pytest.raises(LedgerError, match=r"server\.head\.json exists already"):
        Ledger.create(tmp_path, "server", terms=MOMENTS)


def test_a_charge_that_names_devices_is_refused_where_their_cohort_is_secret(tmp_path):
    with Ledger.create(tmp_path, "server", terms=COHORTS) as ledger:
        with pytest.raises(LedgerError, match="leave 'devices' empty"):
            ledger.charge([visit(1), visit(1, 3)])
        ledger.charge([visit(1)])
        assert ledger.spent.charges == 1


def test_two_ledgers_of_one_folder_are_apart_but_each_is_open_once(tmp_path):
    with (
        Ledger.create(tmp_path, "server", terms=COHORTS),
        Ledger.create(tmp_path, "devices", terms=MOMENTS),
        pytest.raises(LedgerError, match=r"devices\.jsonl is open in another process"),
    ):
        Ledger.open(tmp_path, "devices")


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
