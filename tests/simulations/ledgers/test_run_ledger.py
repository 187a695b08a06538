"""A run is charged before its releases, and its ε follows from the ledger alone."""

import json

import pytest
from rich.console import Console

from privacy.ledger.chain import LedgerError, examine
from privacy.mechanisms.independent.cohort_gaussian import protected_mean
from privacy.statements.recomputation import state
from simulations.configuration.hydra_bridge import compose
from simulations.federation import device_ledgers
from simulations.ledgers.run_ledger import show_run
from simulations.simulate import simulate

TINY = (
    "photos.devices=6",
    "photos.held_out_devices=2",
    "photos.side=16",
    "ranking=linear",
    "ranking.weights=null",
    "server.cohort=4",
    "server.rounds=3",
    "training.steps=1",
    "privacy/device=none",
    "simulation.reference=false",
)
CENTRAL = ("privacy/device=gaussian", "privacy.device.delta=1e-3")
LOCAL = ("privacy/device=local",)
ALONE = ("privacy/example=none", "server.cohort=2", "privacy.device.delta=1e-3")


def run(tmp_path, *overrides):
    words = [*TINY, f"simulation.runs={tmp_path}", *overrides]
    assert simulate(compose(words), overrides=words) == 0
    return sorted(tmp_path.iterdir())[-1]


def card(folder):
    return json.loads((folder / "private" / "privacy.json").read_text())


@pytest.mark.parametrize(
    "words",
    [
        (),
        CENTRAL,
        LOCAL,
        (*CENTRAL, "privacy/example=none"),
        ("simulation/engine=opacus", *LOCAL),
        ("simulation.dropout=0.5", *LOCAL),
        (*ALONE, "privacy/device=adaptive", "privacy.device.clipping=layers"),
        (*ALONE, "privacy/device=gaussian", "privacy.device.numbers=integers"),
        (*ALONE, "privacy/device=matrix"),
        (*ALONE, "privacy/device=matrix", "privacy.device.strategy=buffered"),
        (*ALONE, "privacy/device=matrix", "privacy.device.participation=bands"),
        (*ALONE, "privacy/device=auto", "simulation.dropout=0.5"),
    ],
)
def test_the_ledgers_give_the_epsilon_of_the_run(tmp_path, words):
    folder = run(tmp_path, *words)
    for unit, promise in card(folder).items():
        found = examine(folder / "private" / "ledger", unit)
        stated = state(found.terms, found.spent)
        assert stated.worst.pld == promise["as_it_ran"]["worst"]
        assert stated.worst.agree
        assert stated.claim
        assert promise["ledger"] == {"count": found.end.count, "hash": found.end.hash}
    assert show_run(folder, Console(quiet=True), lines=True)


def test_without_privacy_there_is_no_ledger(tmp_path):
    folder = run(tmp_path, "privacy/example=none")
    with pytest.raises(ValueError, match="holds no ledger"):
        show_run(folder, Console(quiet=True), lines=False)


def test_a_round_is_charged_before_its_sum_is_released(tmp_path, monkeypatch):
    seen = []

    def watched(deltas, mechanism, **named):
        (folder,) = tmp_path.iterdir()
        seen.append(examine(folder / "private" / "ledger", "device").spent.charges)
        return protected_mean(deltas, mechanism, **named)

    monkeypatch.setattr(
        "privacy.mechanisms.independent.cohort_gaussian.protected_mean", watched
    )
    run(tmp_path, *CENTRAL)
    assert seen == [1, 2, 3]


def test_visits_are_charged_before_a_reply_is_handed_over(tmp_path, monkeypatch):
    def full(*_, **__):
        raise LedgerError("the disk is full")

    monkeypatch.setattr(device_ledgers.Ledger, "charge", full)
    with pytest.raises(LedgerError):
        run(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert json.loads((folder / "private" / "summary.json").read_text())["round"] == 0


def test_a_ledger_cut_with_its_head_is_found_by_the_card(tmp_path, capsys):
    folder = run(tmp_path)
    ledger, head = (
        folder / "private" / "ledger" / "example.jsonl",
        folder / "private" / "ledger" / "example.head.json",
    )
    lines = ledger.read_bytes().splitlines(keepends=True)[:2]
    ledger.write_bytes(b"".join(lines))
    found = json.loads(lines[-1])
    text = json.dumps({"count": 2, "hash": found["hash"]}, separators=(",", ":"))
    head.write_text(text + "\n")
    assert examine(folder / "private" / "ledger", "example").spent.charges == 1
    assert not show_run(folder, Console(), lines=False)
    assert "head was kept at line 4" in " ".join(capsys.readouterr().out.split())
