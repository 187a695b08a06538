"""Every arm at every seed, in processes of their own."""

import io
import json
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest
from rich.console import Console

from protocol.rebuild import from_json, to_json
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.settings import Config
from simulations.configuration.study_settings import Comparison, PlainRun
from simulations.studies import study
from simulations.studies.study_table import Grid

COMPARISON = Comparison(
    seeds=(3, 5), workers=2, against=None, grids=(), shared=(), without=(), arms={}
)


@pytest.fixture
def config(tiny, tmp_path):
    runs = tmp_path / ("runs" * 30)
    return compose([*tiny, f"simulation.runs={runs}", "name=compared"])


@pytest.fixture
def screen():
    return Console(file=io.StringIO(), width=80)


@pytest.mark.slow
def test_a_study_compares_its_arms_over_seeds(simulated, tmp_path, capsys):
    folder = simulated(
        tmp_path,
        "study=comparison",
        "study.seeds=[0,1]",
        "study.workers=2",
        "+study.arms.private=[]",
        "+study.arms.no-privacy=['privacy/example=none']",
        "server.rounds=1",
    )
    found = json.loads((folder.private / "study.json").read_text())
    assert [arm["name"] for arm in found["arms"]] == ["private", "no-privacy"]
    assert found["arms"][1]["kept"] == pytest.approx(1.0)
    assert found["orders"]["Bayes"] == pytest.approx(1.0)
    run = folder.private / "private" / "seed-1"
    assert (run / "public" / "model.safetensors").is_file()
    assert "no-privacy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("jobs", "workers", "lengths"),
    # 7 · 1 / 3 = 2 and 7 · 2 / 3 = 4, rounded down: the bounds of three shares.
    [(7, 3, [2, 2, 3]), (2, 4, [1, 1]), (3, 1, [3]), (0, 2, [])],
)
def test_jobs_are_cut_into_runs_of_neighbours_and_no_share_is_empty(jobs, workers, lengths):
    all_ = [(f"config {number}", f"folder {number}") for number in range(jobs)]
    cut = study.shares(all_, workers)
    assert [len(share) for share in cut] == lengths
    assert [job for share in cut for job in share] == all_


def test_an_arm_alone_is_a_plain_run_at_its_seed():
    arm = compose(["study=comparison", "+study.arms.a=[]", "training.lr=3"])
    alone = study.alone(arm, seed=9)
    assert (alone.seed, alone.study, alone.training.lr) == (9, PlainRun(), 3.0)


def test_every_arm_runs_at_every_seed_and_runs_of_one_seed_are_neighbours(
    config, screen, monkeypatch
):
    asked, shown = [], []

    def finished(jobs, *, workers):
        asked.extend([*jobs, workers])
        yield from (Path(folder) for _, folder in jobs)

    monkeypatch.setattr(study, "_finished", finished)
    monkeypatch.setattr(study.study_table, "show", lambda *_, **named: shown.append(named))
    arms = {"slow": config, "quick": compose(["training.lr=9"])}
    assert study.run(config, COMPARISON, screen, arms=arms) == 0
    *jobs, workers = asked
    ran = [(Path(folder).parent.name, Path(folder).name) for _, folder in jobs]
    assert ran == [(arm, seed) for seed in ("seed-3", "seed-5") for arm in ("slow", "quick")]
    configs = [from_json(Config, text) for text, _ in jobs]
    assert [(one.seed, one.training.lr) for one in configs] == [
        (3, config.training.lr),
        (3, 9.0),
        (5, config.training.lr),
        (5, 9.0),
    ]
    assert workers == 2
    nowhere = Grid(axes={}, against={})
    assert shown == [{"arms": ("slow", "quick"), "seeds": (3, 5), "grid": nowhere}]


def test_runs_on_the_same_photos_are_neighbours_and_the_table_keeps_the_order_of_arms(
    config, screen, monkeypatch
):
    ran, shown = [], []

    def finished(jobs, *, workers):
        ran.extend((Path(folder).parent.name, Path(folder).name) for _, folder in jobs)
        yield from (Path(folder) for _, folder in jobs)

    monkeypatch.setattr(study, "_finished", finished)
    monkeypatch.setattr(study.study_table, "show", lambda *_, arms, **__: shown.append(arms))
    other = replace(config, photos=replace(config.photos, devices=7))
    arms = {"one": config, "another": other, "as one": config, "as another": other}
    assert study.run(config, COMPARISON, screen, arms=arms) == 0
    order = ("one", "as one", "another", "as another")
    assert ran == [(arm, seed) for seed in ("seed-3", "seed-5") for arm in order]
    assert shown == [tuple(arms)]


def test_the_table_is_told_where_an_arm_is_in_its_grid_and_what_it_is_compared_with(
    config, screen, monkeypatch
):
    told = []
    monkeypatch.setattr(
        study, "_finished", lambda jobs, workers: (Path(folder) for _, folder in jobs)
    )
    monkeypatch.setattr(study.study_table, "show", lambda *_, grid, **__: told.append(grid))
    compared = replace(COMPARISON, grids=({"part": {"a": (), "b": ()}},), against="a")
    arms = {"a": config, "b": config}
    assert study.run(config, compared, screen, arms=arms) == 0
    assert told == [Grid(axes={"a": {"part": "a"}, "b": {"part": "b"}}, against={"b": "a"})]


def test_a_study_of_which_runs_failed_says_how_many_and_compares_nothing(
    config, screen, monkeypatch
):
    monkeypatch.setattr(study, "_finished", lambda jobs, workers: [Path(jobs[0][1])])
    monkeypatch.setattr(study.study_table, "show", lambda *_, **__: pytest.fail("compared"))
    assert study.run(config, COMPARISON, screen, arms={"only": config}) == 1
    (folder,) = Path(config.simulation.runs).iterdir()
    heading, *_, failed = screen.file.getvalue().splitlines()
    assert heading == f"darkroom   compared   1 arms × 2 seeds   {folder}"
    assert failed == f"darkroom: 1 runs failed; the others are in {folder}."


def test_a_worker_runs_its_share_in_order_and_tells_of_each_run(config, tmp_path, monkeypatch):
    ran, told = [], Queue()
    monkeypatch.setattr(study, "perform", lambda one, at, **_: ran.append((one, at.path)))
    monkeypatch.setattr(study.threading, "Thread", lambda **_: Quiet())
    monkeypatch.setattr(study.signal, "signal", lambda *_: None)
    folders = [tmp_path / name for name in ("a", "b")]
    study.work([(to_json(config), str(folder)) for folder in folders], told)
    assert ran == [(config, folder) for folder in folders]
    assert [told.get() for _ in folders] == [str(folder) for folder in folders]


class Quiet:
    """A thread that never begins."""

    def start(self):
        pass


@pytest.mark.parametrize(("alive", "expected"), [(True, 2), (False, 1)])
def test_runs_are_waited_for_as_long_as_a_worker_lives(alive, expected):
    class Worker:
        def is_alive(self):
            return alive

    class Arriving:
        """One run arrives, nothing for a while, then the other."""

        def __init__(self):
            self.left = ["/runs/b", None, "/runs/a"]

        def get(self, timeout):
            found = self.left.pop() if self.left else None
            if found is None:
                raise study.Empty
            return found

    arrived = list(study._arriving(Arriving(), [Worker()], expected=2))
    assert arrived == [Path("/runs/a"), Path("/runs/b")][:expected]
