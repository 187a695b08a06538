"""A small run: its settings, how it is made, and what it leaves."""

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from privacy.ledger.records import to_line
from privacy.statements import recomputation
from protocol.rebuild import rebuild
from simulations import command
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.settings import Config
from simulations.ledgers.run_ledger import show_run
from simulations.runs.run_folder import RunFolder
from simulations.simulate import simulate

TINY = (
    "photos.devices=6",
    "photos.held_out_devices=2",
    "photos.side=16",
    "ranking=linear",
    "ranking.weights=null",
    "server.cohort=4",
    "server.rounds=2",
    "training.steps=1",
    "privacy/device=none",
    "simulation.reference=false",
)
GIVEN_NOISE = (
    "privacy/device=gaussian",
    "privacy.device.delta=1e-3",
    "privacy.example.epsilon=null",
    "privacy.example.noise_multiplier=2",
    "privacy.device.epsilon=null",
    "privacy.device.noise_multiplier=2",
)


@dataclass(frozen=True)
class Left(RunFolder):
    """A run's folder, and what stands in its private half."""

    @classmethod
    def last(cls, runs: Path) -> "Left":
        """What the last run left of those under ``runs``."""
        return cls(max(runs.iterdir()))

    @property
    def summary(self):
        return json.loads((self.private / "summary.json").read_text())

    @property
    def card(self):
        return json.loads((self.private / "privacy.json").read_text())

    @property
    def rows(self):
        lines = (self.private / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    @property
    def counts(self):
        return [row["simulation_only"] for row in self.rows]

    @property
    def config(self):
        plain = yaml.safe_load((self.private / "config.yaml").read_text())
        return rebuild(Config, plain)


@pytest.fixture(scope="session")
def tiny():
    """The settings of a small run, in which moments alone are protected."""
    return TINY


@pytest.fixture(scope="session")
def given_noise():
    """Both units protected, with noise that is given: nothing is searched for."""
    return GIVEN_NOISE


@pytest.fixture(scope="session")
def left():
    """Finds what the last run left under a folder: ``left(runs)``."""
    return Left.last


@pytest.fixture(scope="session")
def simulated():
    """Simulates the small run with more typed after it; returns what it leaves."""

    def simulated(runs, *words):
        words = [*TINY, f'simulation.runs="{runs}"', *words]
        assert simulate(compose(words), overrides=words) == 0
        return Left.last(runs)

    return simulated


@pytest.fixture(scope="session")
def verified():
    """Verifies a folder as `darkroom ledger` does: whether it holds, and all that was said."""

    def verified(path):
        screen = io.StringIO()
        try:
            holds = show_run(path, Console(file=screen, width=1000), lines=False)
        except ValueError as failure:
            return False, f"{screen.getvalue()}{failure}"
        return holds, screen.getvalue()

    return verified


@pytest.fixture
def darkroom(monkeypatch, capsys, tmp_path):
    """Runs the command in an empty folder; returns its exit status and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["darkroom", *words])
        with pytest.raises(SystemExit) as ended:
            command.main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture(scope="session")
def known_opinions():
    return {}


@pytest.fixture
def counted_once(known_opinions, monkeypatch):
    """The ε of the same charges is computed once, where a test does not ask for it."""
    compute = recomputation.opinions

    def opinions(terms, charges, **named):
        key = (to_line(terms), charges)
        if key not in known_opinions:
            known_opinions[key] = compute(terms, charges, **named)
        return known_opinions[key]

    monkeypatch.setattr(recomputation, "opinions", opinions)
