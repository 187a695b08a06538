"""Whether several runs trained on the same devices: only then do their ε add up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from client.consent.lifetime import CONFIGURATION
from photos.registry import SETTINGS
from photos.settings import Photos
from protocol.rebuild import rebuild
from simulations.runs.run_folder import CONFIG, RunFolder

FLAG = "--same-population"


def assumption(runs: Sequence[Path]) -> str:
    """Returns in words why runs count as runs of one population.

    Args:
        runs: Folders of runs, or of one device's configurations.

    Raises:
        ValueError: They are of several populations, or that is not known.
    """
    if len({run.parent for run in runs}) == 1 and all(map(_is_configuration, runs)):
        return "one device's own ledgers, in one folder"
    found = [(run, *_trained_on(run)) for run in runs]
    first, photos, ours = found[0]
    for run, _, theirs in found[1:]:
        for name in {**ours, **theirs}:
            if ours.get(name) != theirs.get(name):
                raise ValueError(
                    f"{first} and {run} are not of one population: {name} is "
                    f"{ours.get(name)} in one and {theirs.get(name)} in the other; if they are "
                    f"all the same, say {FLAG}."
                )
    if photos.made:
        return "one made population: the same photos settings and seed"
    return "one set of photographs, in which no device came or went between the runs"


def known(runs: Sequence[Path]) -> bool:
    """Whether settings say of all runs that they are of one population."""
    try:
        assumption(runs)
    except ValueError:
        return False
    return True


def groups(runs: Sequence[Path]) -> list[list[Path]]:
    """Returns runs by population, in their order.

    Raises:
        ValueError: A run does not say on which photos it ran.
    """
    if runs and all(map(_is_configuration, runs)):
        return [list(runs)]
    found: dict[str, list[Path]] = {}
    for run in runs:
        _, ours = _trained_on(run)
        found.setdefault(repr(sorted(ours.items())), []).append(run)
    return list(found.values())


def _is_configuration(folder: Path) -> bool:
    """Whether a device keeps the ledger of one configuration there, under its digest."""
    return bool(CONFIGURATION.fullmatch(folder.name))


def _trained_on(run: Path) -> tuple[Photos, dict[str, Any]]:
    """The photos of a run, and what says which devices they are."""
    path = RunFolder(run).private / CONFIG
    try:
        plain = yaml.safe_load(path.read_text())
        settings = SETTINGS[plain["photos"]["source"]]
        photos = rebuild(settings, plain["photos"], at="photos")
        return photos, photos.identity(seed=plain["seed"])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as failure:
        raise ValueError(
            f"{run} does not say on which photos it ran ({path.name} is missing, damaged or "
            f"another version's); if it is the population of the others, say {FLAG}."
        ) from failure
