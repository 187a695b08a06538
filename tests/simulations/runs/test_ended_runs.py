"""A run that ends before its time leaves the last release, its figures and its ε."""

import errno
import os

import numpy as np
import pytest
from rankings import ranker
from resumed_runs import Cut, dying, go_on
from safetensors.torch import load_file

from privacy.ledger.chain import examine
from privacy.statements import recomputation
from ranking.model.build import trainable_names
from ranking.parameters import flatten
from ranking.weights import load_weights
from simulations.evaluation.judge import Judge
from simulations.runs import recorder
from simulations.runs import run as performing
from simulations.runs.checkpoints import checkpoint_folder
from simulations.runs.checkpoints.checkpoint_folder import CheckpointFolder

FAST = ("ranking=head", "training.lr=1e6", "server.optimizer.lr=1e6")


def saved(folder):
    """The taste that a run left."""
    left = ranker("linear")
    load_weights(left, folder.model)
    return flatten(left, trainable_names(left, "linear"))


@pytest.fixture
def ended(simulated, left, tmp_path):
    """Runs until an exception ends it; returns what is left."""

    def ended(*words, by=KeyboardInterrupt, match=None):
        with pytest.raises(by, match=match):
            simulated(tmp_path, *words)
        return left(tmp_path)

    return ended


def test_an_interrupt_leaves_what_was_released_and_goes_on_upwards(ended, monkeypatch):
    honest = recorder.Recorder.closed

    def interrupted(self, outcome):
        honest(self, outcome)
        raise KeyboardInterrupt

    monkeypatch.setattr(recorder.Recorder, "closed", interrupted)
    folder = ended()
    assert folder.summary["status"] == "interrupted"
    assert len(folder.rows) == 2


def test_an_interrupted_run_tells_the_epsilon_and_the_figures_of_its_own_model(
    ended, monkeypatch
):
    honest = recorder.Recorder.started

    def interrupted(self, number, *, cohort):
        honest(self, number, cohort=cohort)
        if number == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(recorder.Recorder, "started", interrupted)
    folder = ended("simulation.evaluate_every=9", "privacy.example.max_participations=9")
    found, rows = folder.summary, folder.rows
    assert [row["round"] for row in rows] == [0, 1]
    assert found["round"] == 1
    assert found["simulation_only"]["after"].items() <= rows[1]["simulation_only"].items()
    # Nothing of the second round had left a device: the ledger has one visit of each.
    chosen = folder.config.protection(devices=2).example.mechanism
    assert found["privacy"]["example"]["worst"] == chosen.epsilon(1)


@pytest.mark.parametrize("when", ["started", "closed"])
def test_an_interrupt_leaves_the_model_of_the_last_round_that_was_closed(
    ended, monkeypatch, when
):
    released = []
    closed, honest = recorder.Recorder.closed, getattr(recorder.Recorder, when)

    def remembered(self, outcome):
        closed(self, outcome)
        released.append(outcome.parameters)

    def interrupted(self, *words, **named):
        (remembered if when == "closed" else honest)(self, *words, **named)
        if len(released) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(recorder.Recorder, "closed", remembered)
    monkeypatch.setattr(recorder.Recorder, when, interrupted)
    folder = ended("server.rounds=3", "simulation.evaluate_every=9")
    assert (saved(folder) == released[-1]).all()
    assert (folder.summary["status"], folder.summary["round"]) == ("interrupted", 2)


def test_an_interrupt_while_a_release_is_taken_over_leaves_it_whole(ended, monkeypatch):
    honest, taken = Judge.take, []

    def torn(self, parameters):
        taken.append(parameters)
        if len(taken) == 2:
            honest(self, np.full_like(parameters, np.nan))
            raise KeyboardInterrupt
        honest(self, parameters)

    monkeypatch.setattr(Judge, "take", torn)
    folder = ended()
    assert (saved(folder) == taken[1]).all()
    assert folder.summary["round"] == 1


def test_a_run_that_diverges_names_the_setting_and_keeps_what_was_released(ended):
    words = ("privacy/example=none", "training.steps=2", *FAST)
    folder = ended(*words, by=ValueError, match=r"round 1 diverged.*training\.lr")
    assert folder.summary["status"] == "failed"
    assert folder.summary["round"] == 0


@pytest.mark.parametrize("every", [1, 2])
def test_a_model_that_orders_no_photos_is_not_kept(ended, every):
    loud = ("privacy.example.clip=1e6", "training.steps=2", *FAST)
    words = (*loud, f"simulation.evaluate_every={every}")
    folder = ended(*words, by=ValueError, match=r"round [12] diverged.*training\.lr")
    assert (folder.summary["status"], folder.summary["round"]) == ("failed", 0)
    assert folder.summary["privacy"]["example"]["worst"] > 0
    model = load_file(folder.model)
    assert all(value.isfinite().all() for value in model.values())


def test_a_run_that_fails_before_its_first_judgement_leaves_no_model(ended, monkeypatch):
    def broken(self):
        raise RuntimeError("a fault")

    monkeypatch.setattr(recorder.Recorder, "begin", broken)
    folder = ended(by=RuntimeError)
    assert {file.name for file in folder.private.iterdir()} == {
        "config.yaml",
        "environment.json",
        "ledger",
        "log.jsonl",
        ".run.lock",
    }


@pytest.mark.parametrize("cut", [Cut.CHARGED, Cut.CHARGING, Cut.KEEPING, Cut.CLOSED])
def test_after_every_end_a_run_says_the_epsilon_of_its_ledgers(
    ended, given_noise, verified, cut
):
    def interrupt():
        raise KeyboardInterrupt

    with dying(cut, number=2, die=interrupt):
        folder = ended(*given_noise, "server.cohort=6", "server.rounds=3")
    for unit in ("example", "device"):
        found = examine(folder.ledgers, unit)
        said = recomputation.state(found.terms, found.spent)
        assert folder.summary["privacy"][unit]["worst"] == said.worst.pld
        assert folder.card[unit]["as_it_ran"]["worst"] == said.worst.pld
    assert verified(folder.path)[0]


@pytest.mark.parametrize("cause", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_no_more_stops_the_run_with_its_last_good_state(
    ended, left, tmp_path, monkeypatch, cause
):
    honest, written = checkpoint_folder.write_bytes, []

    def full(*words, **named):
        raise OSError(cause, os.strerror(cause))

    def filling(path, data):
        written.append(path)
        if len(written) > 3:
            monkeypatch.setattr(performing, "save_weights", full)
            full()
        honest(path, data)

    monkeypatch.setattr(checkpoint_folder, "write_bytes", filling)
    folder = ended(by=ValueError, match="cannot keep round 2: .*; the run stops")
    assert CheckpointFolder(folder.checkpoints).load().checkpoint.server.round == 1
    monkeypatch.undo()
    go_on(folder)
    assert (folder.summary["status"], folder.summary["round"]) == ("finished", 2)
