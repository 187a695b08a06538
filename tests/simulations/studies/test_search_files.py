"""What a search leaves is verified part by part, and its best trial alone is shared."""

import json
import math
import shutil
from pathlib import Path

import pytest
from changed_files import deleted, edited, emptied, in_the_way, spaced, without

from protocol.rebuild import to_plain
from simulations.configuration.hydra_bridge import compose
from simulations.runs import public_half, run_parts
from simulations.runs.run_folder import RunFolder
from simulations.studies import search, search_files

pytestmark = pytest.mark.usefixtures("counted_once")
OF_SEARCH = run_parts.of_search(2, shared=True)


@pytest.fixture(scope="module")
def searched(simulated, given_noise, tmp_path_factory):
    words = ("server.cohort=6", "server.rounds=1", "study=search", "seed=1", "name=find")
    arms = ('+study.arms.slow=["training.lr=0.1"]', '+study.arms.quick=["training.lr=1"]')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "drawn", lambda *_, **__: ["slow", "quick"])
        return simulated(tmp_path_factory.mktemp("searches"), *given_noise, *words, *arms).path


@pytest.fixture
def found(searched, tmp_path):
    return Path(shutil.copytree(searched, tmp_path / "found"))


def test_a_search_holds_and_shares_its_best_trial_alone(found, verified):
    holds, said = verified(found)
    assert holds
    assert said.count("every file that the run left") == 3
    assert {file.name for file in (found / "public").iterdir()} == {
        "config.yaml",
        "model.safetensors",
        "search.json",
    }
    told = json.loads((found / "public" / "search.json").read_text())
    assert told["best"] in ("slow", "quick")
    assert "trials" not in json.dumps(told).replace("expected_trials", "")
    trials = json.loads((found / "private" / "search.json").read_text())["simulation_only"]
    best = [one["arm"] for one in trials["trials"]].index(told["best"])
    model = found / f"private/trial-{best}/public/model.safetensors"
    assert (found / "public/model.safetensors").read_bytes() == model.read_bytes()


@pytest.mark.parametrize("change", [deleted, emptied, edited, spaced, in_the_way])
@pytest.mark.parametrize("name", [*OF_SEARCH, run_parts.PARTS])
def test_a_part_of_a_search_that_is_changed_is_named(found, verified, name, change):
    change(found, name, None)
    holds, said = verified(found)
    assert not holds
    assert str(found / name) in said


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("private/trial-0", "trial-0/private/parts.json"),
        ("private/trial-1", "trial-1/private/parts.json"),
        ("private/trial-0/private/ledger", "example.jsonl"),
        ("private/trial-1/private/ledger/device.jsonl", "device.jsonl"),
        ("private/trial-1/public", "public/config.yaml"),
        ("public", "public/search.json"),
    ],
)
def test_a_trial_of_which_anything_is_lost_is_named(found, verified, lost, named):
    without(lost)(found, None)
    holds, said = verified(found)
    assert not holds
    assert named in said


def test_a_trial_more_is_named(found, verified):
    shutil.copytree(found / "private/trial-1", found / "private/trial-2")
    holds, said = verified(found)
    assert not holds
    assert "trial-2 is a trial that" in said


def test_a_search_that_crashed_is_readable_and_says_so(found, verified):
    without("public", "private/parts.json", "private/search.json")(found, None)
    holds, said = verified(found)
    assert holds
    assert "crashed before its end" in said


@pytest.fixture(scope="module")
def arms(tiny):
    return {name: compose([*tiny, "seed=5", *words]) for name, words in ARMS.items()}


ARMS = {"slow": ("training.lr=0.1",), "quick": ("training.lr=9",)}


@pytest.fixture
def leave(arms, tmp_path):
    """Leaves a search of as many trials as there are scores, in turn slow and quick."""

    def leave(*scores, claim=True, cost=(3.0, 1e-5)):
        folder = RunFolder.at(tmp_path / "find")
        trials = []
        for number, score in enumerate(scores):
            inner = RunFolder.at(search_files.trial(folder, number).path)
            (inner.private / "parts.json").write_text("{}")
            inner.model.write_text(f"model {number}")
            trials.append({"arm": list(ARMS)[number % 2], "score": score})
        best = trials[search_files.best_of(trials)]["arm"] if trials else None
        found = {
            "distribution": "geometric",
            "expected_trials": 2,
            "devices": 6,
            "claim": claim,
            "best": best,
            "simulation_only": {"trials": trials},
        }
        costs = {"example": cost, "device": None}
        search_files.leave(folder, arms, found=found, costs=costs)
        return folder

    return leave


def test_of_equal_trials_the_first_is_the_best():
    trials = [{"score": score} for score in (0.1, 0.3, 0.2, 0.3)]
    assert search_files.best_of(trials) == 1


def test_the_public_half_tells_the_best_and_the_cost_and_no_other_trial(leave, arms):
    folder = leave(0.1, 0.4, 0.4)
    told = json.loads((folder.public / "search.json").read_text())
    assert told == {
        "distribution": "geometric",
        "expected_trials": 2,
        "best": "quick",
        "claim": True,
        "epsilon": {"example": {"epsilon": 3.0, "delta": 1e-5}, "device": None},
        "arms": {name: public_half.of_config(to_plain(arm)) for name, arm in arms.items()},
    }
    assert folder.model.read_text() == "model 1"
    assert "seed" not in (folder.public / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("scores", "changes"),
    [
        ((), {}),
        ((0.1,), {"claim": False}),
        ((0.1,), {"cost": (math.inf, 1e-5)}),
        ((0.1,), {"cost": None}),
    ],
)
def test_nothing_is_shared_of_no_trial_or_without_a_promise(leave, scores, changes):
    folder = leave(*scores, **changes)
    assert not folder.public.exists()
    trials = len(scores)
    assert run_parts.faults(folder.path, run_parts.of_search(trials, shared=False)) == []
