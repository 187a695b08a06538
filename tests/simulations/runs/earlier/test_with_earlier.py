"""What is said of a run and of those that its start weights come from."""

import pytest

from privacy.statements.composition import Composed
from simulations.configuration.hydra_bridge import compose
from simulations.runs.earlier import with_earlier
from simulations.runs.earlier.earlier_runs import NONE, EarlierRuns

UNKNOWN = EarlierRuns(name="first", unknown="its ledgers are not at hand")


@pytest.fixture(scope="module")
def protection(tiny):
    return compose([*tiny]).protection(devices=6)


def test_of_public_weights_nothing_is_said(protection):
    assert with_earlier.lines(NONE, protection) == []
    assert with_earlier.start(NONE, weights="public") == "public"
    assert with_earlier.notes({"example": {"with_earlier": None}}) == ()


def test_a_cost_that_is_unknown_is_told_as_no_bound_with_the_reason(protection):
    start, *units = with_earlier.lines(UNKNOWN, protection)
    assert "come from first" in start
    assert units == [
        "no bound for each moment of a device over both: its ledgers are not at hand"
    ]


def test_the_start_row_names_the_run_once():
    assert with_earlier.start(UNKNOWN, weights="m.safetensors") == (
        "m.safetensors (trained by first)"
    )
    assert with_earlier.start(UNKNOWN, weights="runs/first/model") == "runs/first/model"


def test_the_composed_bound_is_told_with_its_delta():
    both = {"runs": ["a", "b"], "epsilon": 3.14159, "delta": 1e-5, "unknown": ""}
    (note,) = with_earlier.notes({"example": {"with_earlier": both}})
    assert note == (
        "With a, b, from which it started: ε ≤ 3.15 at δ = 1e-05 for each moment of a device."
    )


def test_a_bound_over_both_is_told_before_the_run(protection, monkeypatch):
    cost = Composed(pld=2.0, rdp=2.5, delta=1e-5, claim=True)
    monkeypatch.setattr(EarlierRuns, "planned", lambda self, protection, unit: cost)
    said = with_earlier.lines(EarlierRuns(name="first"), protection)
    assert said[1] == "over both ε ≤ 2.00 at δ = 1e-05 for each moment of a device"
