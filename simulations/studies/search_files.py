"""What a search leaves: its trials in the private half, the best one in the public half."""

import json
import shutil
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from protocol.rebuild import to_plain
from simulations.configuration.settings import Config
from simulations.runs import public_half, run_parts
from simulations.runs.run_folder import CONFIG, MODEL, SUMMARY, RunFolder, json_of, yaml_of
from simulations.runs.whole_files import write_whole

FILE = "search.json"
RELEASED = ("distribution", "expected_trials", "best", "claim")
Costs = Mapping[str, tuple[float, float] | None]


def trial(folder: RunFolder, number: int) -> RunFolder:
    """Returns where a trial is: how many there are is shown to nobody."""
    return RunFolder(folder.private / f"trial-{number}")


def score(trial: RunFolder) -> float:
    """Returns the score of a trial that is over, as its summary has it."""
    summary = json.loads((trial.private / SUMMARY).read_text())
    return float(summary["simulation_only"]["after"]["normalised_ndcg@1"])


def leave(
    folder: RunFolder, arms: Mapping[str, Config], *, found: Mapping[str, Any], costs: Costs
) -> None:
    """Writes the files of a search that is over.

    Args:
        folder: Of the search, with its trials.
        arms: The configuration of each arm.
        found: All that the ε of the choice follows from, under ``simulation_only`` the trials.
        costs: ε and δ of the choice for each unit.
    """
    write_whole(folder.private / FILE, json.dumps(found, indent=2) + "\n")
    trials = found["simulation_only"]["trials"]
    finite = any(cost is not None and isfinite(cost[0]) for cost in costs.values())
    shared = bool(trials) and found["claim"] and finite
    if shared:
        _share(folder, arms, found=found, costs=costs, best=best_of(trials))
    run_parts.seal(folder.path, run_parts.of_search(len(trials), shared=shared))


def best_of(trials: Sequence[Mapping[str, Any]]) -> int:
    """Returns the number of the best trial, the first of equals."""
    return max(range(len(trials)), key=lambda number: trials[number]["score"])


def _share(
    folder: RunFolder,
    arms: Mapping[str, Config],
    *,
    found: Mapping[str, Any],
    costs: Costs,
    best: int,
) -> None:
    """Writes what the ε of the choice covers: the best trial's model, and no other's."""
    half = public_half.begin(folder)
    shared = {name: public_half.of_config(to_plain(arm)) for name, arm in arms.items()}
    of_choice = {
        unit: None if cost is None else {"epsilon": cost[0], "delta": cost[1]}
        for unit, cost in costs.items()
    }
    card = {**{key: found[key] for key in RELEASED}, "epsilon": of_choice, "arms": shared}
    shutil.copyfile(trial(folder, best).model, half / MODEL)
    write_whole(half / CONFIG, yaml_of(shared[found["best"]]))
    write_whole(half / FILE, json_of(card))
