"""Rounds over simulated devices: who declines, whose reply is lost, what wire changes."""

import dataclasses

import pytest
from safetensors.torch import load_file

from client.app import train_cohort
from simulations.configuration.hydra_bridge import compose
from simulations.federation.federation import federate, together, without_privacy

SEEDED = "privacy.noise=insecure_seeded"


class Watcher:
    """Follows a run and keeps the outcomes of its rounds."""

    def __init__(self):
        self.outcomes = []

    def started(self, number, *, cohort):
        pass

    def replied(self):
        pass

    def closed(self, outcome):
        self.outcomes.append(outcome)


def test_the_wire_format_changes_no_result(simulated, tmp_path):
    plain, strict = (
        load_file(simulated(tmp_path / word, SEEDED, f"simulation.strict={word}").model)
        for word in ("false", "true")
    )
    assert plain.keys()
    for name, values in plain.items():
        assert (strict[name] == values).all()


def test_a_device_that_had_its_visits_declines_and_is_counted(simulated, tmp_path):
    folder = simulated(
        tmp_path,
        "server.cohort=6",
        "server.rounds=3",
        "privacy.example.max_participations=1",
    )
    assert [row["admitted"] for row in folder.counts] == [0, 6, 0, 0]
    assert [row["declined"] for row in folder.counts[2:]] == [{"participations spent": 6}] * 2
    privacy = folder.summary["privacy"]["example"]
    assert privacy["worst"] == privacy["ceiling"]


def test_lost_replies_do_not_end_a_round(simulated, tmp_path):
    rows = simulated(tmp_path, "simulation.dropout=0.5", "server.cohort=6").counts
    assert sum(row["missing"] for row in rows) > 0
    for row in rows:
        assert row["admitted"] + row["missing"] == row["invited"]


def test_an_empty_cohort_releases_noise_and_is_charged(simulated, tmp_path):
    words = ("privacy/device=gaussian", "privacy.device.noise_multiplier=1")
    words = (*words, "privacy.device.epsilon=null", "server.cohort=0.01", "server.rounds=1")
    folder = simulated(tmp_path, *words, "server.optimizer.lr=1e-3", SEEDED)
    rows = folder.counts
    assert rows[1]["invited"] == 0
    assert rows[0]["loss"] != rows[1]["loss"]
    assert folder.card["device"]["ledger"]["count"] == 2


def test_the_model_that_is_returned_is_that_of_the_last_round(tiny):
    watcher = Watcher()
    model = federate(compose([*tiny, "server.rounds=3"]), 6, observer=watcher)
    assert [outcome.round for outcome in watcher.outcomes] == [1, 2, 3]
    assert (model == watcher.outcomes[-1].parameters).all()


def test_late_replies_are_lost_on_the_virtual_clock_and_nobody_waits(tiny):
    words = ("server.cohort=6", "simulation.latency=1e6", "server.timeout=1", "server.rounds=1")
    watcher = Watcher()
    federate(compose([*tiny, *words]), 6, observer=watcher)
    assert [(one.missing, one.admitted) for one in watcher.outcomes] == [(6, 0)]


@pytest.mark.parametrize(
    ("engine", "train"),
    [("bookkeeping", train_cohort), ("vmap", train_cohort), ("opacus", None)],
)
def test_devices_are_trained_together_but_by_opacus(engine, train):
    found = together(compose([f"simulation/engine={engine}"]).simulation)
    assert (found.train, found.at_once) == (train, 1)


class Lent:
    def train_together(self, *_):
        pass

    def close(self):
        pass


def test_several_workers_are_processes_of_this_machine(monkeypatch):
    begun = []
    monkeypatch.setattr(
        "simulations.federation.workers.workers", lambda count: begun.append(count) or Lent()
    )
    found = together(compose(("simulation.workers=3",)).simulation)
    assert begun == [3]
    assert (found.train.func, found.at_once) == (train_cohort, 3)


def test_an_address_is_a_clusters(monkeypatch):
    begun = []
    monkeypatch.setattr(
        "simulations.federation.cluster.cluster",
        lambda count, **named: begun.append((count, named)) or Lent(),
    )
    found = together(compose(("simulation.address=auto",)).simulation)
    assert begun == [(1, {"address": "auto", "gpu": False})]
    assert (found.train.func, found.at_once) == (train_cohort, 1)


def test_a_run_without_privacy_is_the_same_run_but_for_its_protection(tiny):
    config = compose([*tiny, "privacy/device=gaussian", "privacy.device.delta=1e-3"])
    plain = without_privacy(config)
    assert not plain.privacy.protects
    assert dataclasses.replace(plain, privacy=config.privacy) == config
