"""A study that was stopped compares what it has, and goes on with what is not finished."""

import json
from pathlib import Path

import pytest
from resumed_runs import Cut, Killed, cut_off, files, go_on

from protocol.rebuild import from_json
from simulations.configuration.hydra_bridge import compose
from simulations.configuration.settings import Config
from simulations.runs.run_folder import RunFolder
from simulations.runs.stopping import Terminated
from simulations.simulate import resume, simulate
from simulations.studies import search, search_files, study
from simulations.studies.plan import StudyPlan

SEEDED = ("privacy.noise=insecure_seeded", "server.rounds=2")
COMPARED = (
    *SEEDED,
    "study=comparison",
    "study.seeds=[0,1]",
    '+study.arms.slow=["training.lr=0.1"]',
    '+study.arms.quick=["training.lr=1"]',
)
SEARCHED = (
    *SEEDED,
    "study=search",
    "study.trials=3",
    "study.distribution=poisson",
    "study.seed=1",
    '+study.arms.slow=["training.lr=0.1"]',
    '+study.arms.quick=["training.lr=1"]',
)


def here(jobs, *, workers):
    """The runs of a study, in this process."""
    for config, folder in jobs:
        study.begun_or_resumed(from_json(Config, config), RunFolder(Path(folder)))
        yield Path(folder)


@pytest.fixture
def begun(tiny, tmp_path, left):
    """Begins a study that an exception ends; returns its folder."""

    def begun(*words, by):
        words = [*tiny, f'simulation.runs="{tmp_path}"', *words]
        with pytest.raises(by):
            simulate(compose(words), overrides=words)
        return left(tmp_path)

    return begun


@pytest.mark.slow
def test_a_study_that_is_stopped_compares_the_seeds_that_all_arms_have(begun, monkeypatch):
    def stopped(jobs, *, workers):
        yield from here(jobs[:3], workers=workers)
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "_finished", stopped)
    folder = begun(*COMPARED, by=KeyboardInterrupt)
    table = (folder.private / "study.md").read_text()
    assert "slow" in table
    assert "quick" in table
    assert '"seeds": [\n    0\n  ]' in (folder.private / "study.json").read_text()
    ran = []

    def rest(jobs, *, workers):
        ran.extend(folder for _, folder in jobs)
        yield from here(jobs, workers=workers)

    monkeypatch.setattr(study, "_finished", rest)
    before = files(RunFolder(folder.private / "slow" / "seed-0"))
    said = go_on(folder)
    assert ran == [str(folder.private / "quick" / "seed-1")]
    assert "4/4   quick   seed-1" in said
    assert files(RunFolder(folder.private / "slow" / "seed-0")) == before
    assert '"seeds": [\n    0,\n    1\n  ]' in (folder.private / "study.json").read_text()


@pytest.mark.slow
def test_a_search_goes_on_with_the_trials_that_it_drew(
    begun, simulated, tmp_path, tmp_path_factory, monkeypatch
):
    whole = simulated(tmp_path_factory.mktemp("whole"), *SEARCHED)
    drawn = StudyPlan.read(whole).trials
    assert len(drawn) > 1
    monkeypatch.setattr(study, "perform", dying_in_the_second(study.perform))
    folder = begun(*SEARCHED, by=Killed)
    monkeypatch.undo()
    monkeypatch.setattr(search, "drawn", lambda *_, **__: pytest.fail("drawn again"))
    go_on(folder)
    for number in range(len(drawn)):
        found, wanted = (search_files.trial(one, number) for one in (folder, whole))
        assert files(found) == files(wanted)
    found, wanted = (
        json.loads((one.private / "search.json").read_text()) for one in (folder, whole)
    )
    assert found["simulation_only"] == wanted["simulation_only"]
    assert found["best"] == wanted["best"]


def dying_in_the_second(perform):
    ran = []

    def performed(*words, **named):
        ran.append(words)
        if len(ran) > 1:
            with cut_off(Cut.CHARGED, number=2):
                perform(*words, **named)
            raise Killed
        return perform(*words, **named)

    return performed


@pytest.fixture(scope="module")
def config(tiny):
    return compose([*tiny, *COMPARED])


@pytest.fixture
def planned(config, tmp_path, monkeypatch):
    """A comparison that was begun, of which these runs are finished."""
    monkeypatch.setattr("simulations.simulate.ready", lambda config: None)

    def planned(*over):
        folder = RunFolder.at(tmp_path / "study")
        StudyPlan(config=config, arms={"slow": config, "quick": config}).write(folder)
        for name in over:
            run = RunFolder.at(folder.private / name)
            run.write_summary({"status": "finished"})
            (run.private / "parts.json").write_text("{}")
        return folder

    return planned


OVER = ("slow/seed-0", "quick/seed-0", "slow/seed-1")


@pytest.mark.parametrize(
    ("over", "shown"), [(OVER, [[0]]), (OVER[:1], []), (OVER[1:], []), ((), [])]
)
@pytest.mark.parametrize("end", [KeyboardInterrupt, Terminated])
def test_of_a_stopped_study_the_seeds_that_all_arms_have_are_compared(
    planned, monkeypatch, over, shown, end
):
    folder, told = planned(*over), []

    def stopped(jobs, *, workers):
        raise end
        yield

    monkeypatch.setattr(study, "_finished", stopped)
    monkeypatch.setattr(
        study.study_table, "show", lambda *_, seeds, **__: told.append(list(seeds))
    )
    with pytest.raises(SystemExit if end is Terminated else end):
        resume(folder.path)
    assert told == shown


def test_a_study_goes_on_with_the_runs_that_are_not_finished(planned, monkeypatch):
    folder, asked, told = planned(*OVER), [], []

    def rest(jobs, *, workers):
        asked.append(([where for _, where in jobs], workers))
        yield from (Path(where) for _, where in jobs)

    monkeypatch.setattr(study, "_finished", rest)
    monkeypatch.setattr(
        study.study_table, "show", lambda *_, seeds, **__: told.append(list(seeds))
    )
    assert resume(folder.path, overrides=["study.workers=2"]) == 0
    assert asked == [([str(folder.private / "quick" / "seed-1")], 2)]
    assert told == [[0, 1]]


@pytest.mark.parametrize("word", ["server.rounds=9", "training.lr=2", "study.seeds=[4]"])
def test_of_a_study_only_its_workers_may_change(planned, word):
    with pytest.raises(ValueError, match=word.partition("=")[0]) as refused:
        resume(planned().path, overrides=[word])
    assert "\n" not in str(refused.value)
