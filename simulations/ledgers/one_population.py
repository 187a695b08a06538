"""Whether several runs trained on the same devices: only then do their ε add up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from client.consent.lifetime import CONFIGURATION
from simulations.runs.run_folder import CONFIG, RunFolder

MADE_FROM = ("taste", "taste_cosine", "taste_flips", "context_preference")
"""What the made libraries follow from besides ``seed``; a number is then the same device."""

FLAG = "--same-population"


def assumption(runs: Sequence[Path]) -> str:
    """Returns why runs count as of one population, in words.

    Args:
        runs: Folders of runs, or of one device's configurations.

    Raises:
        ValueError: They are of several populations, or that is not known.
    """
    if len({run.parent for run in runs}) == 1 and all(map(_is_configuration, runs)):
        return "one device's own ledgers, in one folder"
    first, *others = [(run, _facts(run)) for run in runs]
    for run, facts in others:
        for name in facts.keys() | first[1].keys():
            ours, theirs = first[1].get(name), facts.get(name)
            if ours != theirs:
                raise ValueError(
                    f"{first[0]} and {run} are not of one population: {name} is {ours} in one "
                    f"and {theirs} in the other; if they are all the same, say {FLAG}."
                )
    if first[1]["photos.source"] == "folder":
        return "one folder of photographs, in which no device came or went between the runs"
    return "one made population: the same photos settings and seed"


def _is_configuration(folder: Path) -> bool:
    """Whether a device keeps the ledger of one configuration there, under its digest."""
    return bool(CONFIGURATION.fullmatch(folder.name))


def _facts(run: Path) -> dict[str, Any]:
    """The settings that the libraries of a run follow from."""
    path = RunFolder(run).private / CONFIG
    try:
        plain = yaml.safe_load(path.read_text())
        photos = plain["photos"]
        source = {"photos.source": photos["source"]}
        if photos["source"] == "folder":
            return {**source, "photos.root": str(Path(photos["root"]).expanduser().resolve())}
        made = {f"photos.{name}": photos[name] for name in MADE_FROM}
        return {**source, **made, "seed": plain["seed"]}
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as failure:
        raise ValueError(
            f"{run} does not say on which photos it ran ({path.name} is missing or damaged); "
            f"if it is the population of the others, say {FLAG}."
        ) from failure
