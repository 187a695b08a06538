import dataclasses
import io

import pytest
from ledger_terms import MOMENTS as TERMS
from rich.console import Console

from privacy.ledger.chain import Head
from privacy.ledger.disk import Disk
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge, Unknown
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.statements.recomputation import opinions
from simulations.formats import epsilon_text
from simulations.ledgers.ledger_view import explained, ledgers, show

WHOLE_DEVICES = dataclasses.replace(
    TERMS, unit="device", cap=75, population=1000, public={"band": 4}
)


def visit(number, *devices):
    return Charge(round=number, attempt=1, devices=devices, what="update")


@pytest.fixture
def run(tmp_path):
    with Ledger.create(tmp_path, "devices", terms=TERMS) as ledger:
        ledger.charge([visit(1, 1, 2, 3)])
        ledger.charge([visit(2, 1)])
    (tmp_path / "metrics.jsonl").write_text('{"round": 1}\n')
    return tmp_path


def shown(path, **flags):
    screen = io.StringIO()
    fine = show(path, Console(file=screen, width=400), **flags)
    return fine, screen.getvalue()


def test_a_ledger_that_holds_is_shown_with_its_terms_and_its_cost(run):
    fine, text = shown(run)

    assert fine
    assert "verified    3 lines" in text
    assert "one moment of the library" in text
    assert "poisson: with probability 0.1 in each step" in text
    assert "2 × clip" in text
    assert "2 time(s), 3 device(s) named: the most often charged 2, the middle one 1" in text
    worst, middle = opinions(TERMS, 2), opinions(TERMS, 1)
    assert (
        f"{epsilon_text(worst.pld)} by loss distributions ≤ {epsilon_text(worst.rdp)} by Rényi"
        in text
    )
    assert (
        f"{epsilon_text(middle.pld)} by loss distributions "
        f"≤ {epsilon_text(middle.rdp)} by Rényi"
    ) in text
    assert "not a claim" not in text
    assert "Round 1" not in text


def test_each_line_is_explained_when_asked(run):
    _, text = shown(run, lines=True)

    assert "line 1  Opens the ledger: one charge costs 5 step(s)" in text
    assert (
        "line 2  Round 1, attempt 1: 3 device(s) (1, 2, 3) paid for an update before it was "
        "handed over."
    ) in text
    assert "line 3  Round 2" in text


def test_whole_devices_pay_together_and_all_terms_are_reported(tmp_path):
    with Ledger.create(tmp_path, "server", terms=WHOLE_DEVICES) as ledger:
        ledger.charge([visit(1)])
    fine, text = shown(tmp_path / "server.jsonl", lines=True)

    assert fine
    for words in ("75 in one step", "1000 in all", '{"band":4}', "every device paid", "ε  "):
        assert words in text
    assert "ε median" not in text


def test_a_changed_byte_is_named_and_nothing_is_claimed(run):
    ledger = run / "devices.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"round":1', b'"round":7'))
    fine, text = shown(run)

    assert not fine
    assert "broken" in text
    assert "devices.jsonl, line 2: " in text
    assert "by loss distributions" not in text


def test_one_broken_ledger_does_not_hide_another(run):
    Ledger.create(run, "server", terms=WHOLE_DEVICES).close()
    (run / "devices.head.json").write_text("{}")
    fine, text = shown(run)

    assert not fine
    assert "devices.head.json, line 1: byte 1 " in text
    assert "verified    1 lines" in text


def test_a_crash_is_shown_as_it_will_count_and_nothing_is_written(run):
    Disk().append(run / "devices.jsonl", b'{"body"')
    before = sorted(path.name for path in run.iterdir())
    fine, text = shown(run)

    assert fine
    assert "line 4: it has no end" in text
    assert "counts as 1 charge(s) of every device" in text
    assert "3 time(s), 1 of them unknown" in text
    assert sorted(path.name for path in run.iterdir()) == before


def test_a_line_beyond_the_head_counts_and_is_shown(run):
    head = run / "devices.head.json"
    before = head.read_bytes()
    with Ledger.open(run, "devices") as ledger:
        ledger.charge([visit(3, 9)])
    head.write_bytes(before)
    fine, text = shown(run)

    assert fine
    assert "1 line(s), of a charge under way or a crash: they count" in text


def test_a_ledger_whose_run_stopped_before_its_first_head_holds(tmp_path):
    Ledger.create(tmp_path, "devices", terms=TERMS).close()
    (tmp_path / "devices.head.json").unlink()
    fine, text = shown(tmp_path)

    assert fine
    assert "none yet: the run stopped before its first charge" in text


def test_seeded_noise_is_not_a_claim(tmp_path):
    seeded = dataclasses.replace(TERMS, noise="insecure_seeded")
    Ledger.create(tmp_path, "devices", terms=seeded).close()

    assert "not a claim" in shown(tmp_path)[1]


def test_a_sampler_without_accountant_is_shown_but_has_no_epsilon(tmp_path):
    unheard = dataclasses.replace(TERMS, sampler="shuffle")
    Ledger.create(tmp_path, "devices", terms=unheard).close()
    fine, text = shown(tmp_path)

    assert not fine
    assert "verified    1 lines" in text
    assert "unknown: sampler 'shuffle' has no accountant" in text


@pytest.mark.parametrize(
    ("share", "said"), [(0.5, "though an attack proves"), (2.0, "which must not exceed")]
)
def test_an_accountant_that_is_wrong_is_not_relied_on(run, monkeypatch, share, said):
    sound = DpSgd.epsilon
    monkeypatch.setattr(DpSgd, "epsilon", lambda *of: share * sound(*of))
    fine, text = shown(run)
    assert not fine
    assert said in text
    assert "an accountant is wrong: rely on neither" in text


def test_a_head_kept_elsewhere_finds_another_ledger(run):
    fine, text = shown(run / "devices.jsonl", kept=Head(2, "0" * 64))

    assert not fine
    assert "whose head was kept at line 2" in text
    with pytest.raises(ValueError, match="is a folder; name the ledger"):
        shown(run, kept=Head(2, "0" * 64))


def test_a_folder_without_a_ledger_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"holds no ledger; name the folder of a run"):
        shown(tmp_path)


@pytest.mark.parametrize("lost", ["devices.jsonl", "devices.head.json"])
def test_a_ledger_of_which_one_file_is_lost_is_found_and_broken(run, lost):
    (run / lost).unlink()

    assert ledgers(run) == [run / "devices.jsonl"]
    fine, text = shown(run)
    assert not fine
    assert f"{lost} is missing" in text


def test_every_kind_of_line_has_its_sentence():
    unknown = Unknown(charges=1, evidence="devices.torn-1", digest="ab")
    many = visit(4, *range(20))

    assert "devices.torn-1 keeps the bytes" in explained(unknown, TERMS)
    assert "20 device(s) (0, 1, 2, 3, 4, 5, 6, 7, …)" in explained(many, TERMS)
    assert "no device paid for figures" in explained(
        dataclasses.replace(visit(5), what="metrics"), TERMS
    )
