"""A run is charged before its releases, and its ε follows from the ledger alone."""

import json

import pytest
from rich.console import Console

from privacy.ledger.chain import examine
from privacy.mechanisms.independent.cohort_gaussian import protected_mean
from privacy.statements.recomputation import state
from simulations.ledgers.run_ledger import show_run

CENTRAL = ("privacy/device=gaussian", "privacy.device.delta=1e-3")
LOCAL = ("privacy/device=local",)
ALONE = ("privacy/example=none", "server.cohort=2", "privacy.device.delta=1e-3")


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
def test_the_ledgers_give_the_epsilon_of_the_run(simulated, tmp_path, words):
    folder = simulated(tmp_path, "server.rounds=3", *words)
    for unit, promise in folder.card.items():
        found = examine(folder.ledgers, unit)
        stated = state(found.terms, found.spent)
        assert stated.worst.pld == promise["as_it_ran"]["worst"]
        assert stated.worst.agree
        assert stated.claim
        assert promise["ledger"] == {"count": found.end.count, "hash": found.end.hash}
    assert show_run(folder.path, Console(quiet=True), lines=True)


def test_without_privacy_there_is_no_ledger(simulated, tmp_path):
    folder = simulated(tmp_path, "privacy/example=none")
    with pytest.raises(ValueError, match="holds no ledger"):
        show_run(folder.path, Console(quiet=True), lines=False)


def test_a_round_is_charged_before_its_sum_is_released(simulated, tmp_path, monkeypatch):
    seen = []

    def watched(deltas, mechanism, **named):
        (folder,) = tmp_path.iterdir()
        seen.append(examine(folder / "private" / "ledger", "device").spent.charges)
        return protected_mean(deltas, mechanism, **named)

    monkeypatch.setattr(
        "privacy.mechanisms.independent.cohort_gaussian.protected_mean", watched
    )
    simulated(tmp_path, "server.rounds=3", *CENTRAL)
    assert seen == [1, 2, 3]


def test_a_ledger_cut_with_its_head_is_found_by_the_card(simulated, tmp_path, capsys):
    folder = simulated(tmp_path, "server.rounds=3")
    ledger, head = (folder.ledgers / f"example.{kind}" for kind in ("jsonl", "head.json"))
    lines = ledger.read_bytes().splitlines(keepends=True)[:2]
    ledger.write_bytes(b"".join(lines))
    found = json.loads(lines[-1])
    text = json.dumps({"count": 2, "hash": found["hash"]}, separators=(",", ":"))
    head.write_text(text + "\n")
    assert examine(folder.ledgers, "example").spent.charges == 1
    assert not show_run(folder.path, Console(), lines=False)
    assert "head was kept at line 4" in " ".join(capsys.readouterr().out.split())
