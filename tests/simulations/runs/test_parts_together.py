"""Parts of a run that are changed together are named, and what a crash left is told."""

import json
import shutil
from pathlib import Path

import pytest
from changed_files import LEDGERS, deleted, edited, emptied, in_the_way, without

from privacy.ledger.chain import Head, pointer_of
from privacy.ledger.ledger import Ledger
from privacy.ledger.records import Charge
from simulations.runs import run_parts

pytestmark = pytest.mark.usefixtures("counted_once")
END = ("public", "private/parts.json", "private/summary.json", "private/privacy.json")


def _whole_ledger_of_another(run, other):
    for name in LEDGERS[:2]:
        shutil.copy(other / name, run / name)


def _older(run, other):
    """Cut back to the line before the last, with the head that it had then."""
    ledger = run / "private/ledger/device.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)[:-1]
    ledger.write_bytes(b"".join(lines))
    head = Head(len(lines), json.loads(lines[-1])["hash"])
    (run / "private/ledger/device.head.json").write_bytes(pointer_of(head))


def _half_of_another(half):
    def change(run, other):
        shutil.rmtree(run / half)
        shutil.copytree(other / half, run / half)

    return change


def _ledger_of_nothing(run, other):
    shutil.copy(run / LEDGERS[0], run / "private/ledger/album.jsonl")
    shutil.copy(run / LEDGERS[1], run / "private/ledger/album.head.json")


def _resealed_without_the_model(run, other):
    parts = run / run_parts.PARTS
    named = json.loads(parts.read_text())
    del named["public/model.safetensors"]
    parts.write_text(json.dumps(named, sort_keys=True, separators=(",", ":")) + "\n")


def _model_of_another_beside(run, other):
    shutil.copy(other / "public/model.safetensors", run / "private/model.safetensors")


def _torn_evidence_lost(run, other):
    ledger = run / LEDGERS[0]
    ledger.write_bytes(ledger.read_bytes() + b'{"body":')
    Ledger.open(ledger.parent, "example").close()
    (ledger.parent / "example.torn-1").unlink()


SEVERAL = {
    "a unit's ledger and its head": (without(*LEDGERS[2:]), "device.jsonl"),
    "the other unit's": (without(*LEDGERS[:2]), "example.jsonl"),
    "all ledgers": (without("private/ledger"), "device.jsonl"),
    "ledgers and card": (without("private/ledger", "private/privacy.json"), "privacy.json"),
    "both cards": (without("private/privacy.json", "public/privacy.json"), "privacy.json"),
    "the public half": (without("public"), "public/config.yaml"),
    "the private half": (without("private"), "private/parts.json"),
    "a ledger of another run with its head": (_whole_ledger_of_another, "example.jsonl"),
    "an older ledger with its head": (_older, "device.jsonl"),
    "the public half of another run": (_half_of_another("public"), "public/privacy.json"),
    "the private half of another run": (_half_of_another("private"), "public/privacy.json"),
    "the ledgers of another run": (_half_of_another("private/ledger"), "example.jsonl"),
    "a ledger more": (_ledger_of_nothing, "album.jsonl"),
    "a list of fewer parts": (_resealed_without_the_model, "parts.json"),
    "a second model": (_model_of_another_beside, "private/model.safetensors"),
    "what a crash tore": (_torn_evidence_lost, "example.torn-1"),
}


@pytest.mark.parametrize("change", SEVERAL)
def test_parts_that_are_changed_together_are_named(run, other, verified, change):
    does, named = SEVERAL[change]
    does(run, other)
    holds, said = verified(run)
    assert not holds
    assert named in said


def unfinished(run):
    without(*END)(run, None)
    return run


def test_a_run_that_crashed_before_its_card_is_readable_and_says_so(run, verified):
    holds, said = verified(unfinished(run))
    assert holds
    assert "this run goes on, or crashed before its end: no card is there" in said
    assert said.count("ε ") >= 2


@pytest.mark.parametrize("lost", LEDGERS)
@pytest.mark.parametrize("change", [deleted, emptied, edited, in_the_way])
def test_also_of_a_crashed_run_no_part_of_a_ledger_is_missed(
    run, other, verified, lost, change
):
    change(unfinished(run), lost, other)
    holds, said = verified(run)
    assert not holds
    assert Path(lost).name in said


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        (LEDGERS[2:], "device.jsonl is missing"),
        (("private/ledger",), "example.jsonl is missing"),
        (("private/config.yaml",), "config.yaml is missing"),
    ],
)
def test_the_settings_of_a_crashed_run_say_which_ledgers_it_has(run, verified, lost, named):
    without(*lost)(unfinished(run), None)
    holds, said = verified(run)
    assert not holds
    assert named in said


def test_a_charge_of_a_run_under_way_is_shown(run, verified):
    with Ledger.open(unfinished(run) / "private/ledger", "device") as ledger:
        ledger.charge([Charge(round=3, attempt=1, devices=(), what="update")])
        holds, said = verified(run)
    assert holds
    assert "3 time(s); every device pays each time" in said


def test_a_public_half_alone_and_a_study_are_named_for_what_they_are(run, verified, tmp_path):
    assert "public is what may be shared and holds no ledger" in verified(run / "public")[1]
    (tmp_path / "study" / "private").mkdir(parents=True)
    (tmp_path / "study" / "private" / "study.json").write_text("{}")
    assert "is a study; name a run in it" in verified(tmp_path / "study")[1]
