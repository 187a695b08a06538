"""A search over a study's arms whose every trial is charged: the best of a random number."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from photos.registry import open_source
from privacy.accounting import rdp, renyi_conversion
from privacy.noise import SecureSource, SeededSource, Source
from privacy.planning.selection import Selection
from protocol.rebuild import SettingError, rebuild, to_plain
from simulations.configuration.settings import Config
from simulations.configuration.study_settings import Search
from simulations.formats import epsilon_text, percent
from simulations.privacy.card import PROTECTS
from simulations.runs import stopping
from simulations.runs.run_folder import RunFolder
from simulations.studies import search_files
from simulations.studies.plan import StudyPlan
from simulations.studies.study import alone, begun_or_resumed


def run(
    config: Config,
    study: Search,
    console: Console,
    *,
    arms: Mapping[str, Config],
    resumed: tuple[RunFolder, tuple[str, ...]] | None = None,
) -> int:
    """Trains a secret number of random arms and releases the best, with the ε of the choice.

    The number follows ``study.distribution`` and ``study.trials``, and each trial's arm is
    drawn from all alike (Papernot and Steinke 2022). Trials are judged on devices that never
    train. Who is shown the number of trials, or any but the best, is shown more than ε says:
    the table of trials is for the simulation alone. Each trial leaves a run folder
    ``private/trial-<n>``, the search ``private/search.json``. The best trial's model and
    settings stand in ``public/``, with the ε of having chosen it.

    Args:
        config: The configuration that the arms change.
        study: The number of trials, and the seed of their one population.
        console: Where to print.
        arms: The configuration of each arm.
        resumed: The folder of a search that goes on, and its trials; None for one that begins.

    Returns:
        0; a search that happens to make no trial has nothing to release.
    """
    _one_population(config, arms)
    selection = Selection(trials=study.trials, distribution=study.distribution)
    devices = open_source(config.photos, seed=study.seed).devices
    costs = {unit: cost(selection, arms, unit=unit, devices=devices) for unit in PROTECTS}
    if not any(costs.values()):
        raise SettingError(
            "study=search: no unit is protected in every arm, so the choice has no ε; protect "
            "one in all arms, or take study=comparison."
        )
    folder, names = resumed or _begun(config, study, arms)
    heading = f"darkroom   {config.name}   {len(names)} trials   {folder.path}"
    console.print(Text(heading), soft_wrap=True)
    console.print("All but the last line is simulation only: a search releases its best alone.")
    scores = []
    try:
        with stopping.stoppable(folder.path):
            for number, name in enumerate(names):
                trial = search_files.trial(folder, number)
                scores.append(_score(alone(arms[name], seed=study.seed), trial))
                console.print(f"  {number + 1}/{len(names)}   {name}   {percent(scores[-1])}")
    except KeyboardInterrupt as end:
        console.print(Text(stopping.stopped(folder.path)), soft_wrap=True)
        raise stopping.as_exit(end) from None
    claim = is_claim(config, arms)
    found = _found(study, arms, names=names, scores=scores, devices=devices, claim=claim)
    search_files.leave(folder, arms, found=found, costs=costs)
    _show(console, names=names, scores=scores)
    for line in report_lines(costs, best=found["best"], claim=claim):
        console.print(Text(line))
    return 0


def _begun(
    config: Config, study: Search, arms: Mapping[str, Config]
) -> tuple[RunFolder, tuple[str, ...]]:
    """A new search: its trials are drawn once, and written down before the first."""
    selection = Selection(trials=study.trials, distribution=study.distribution)
    names = tuple(drawn(selection, tuple(arms), source=_source(config, study.seed)))
    folder = RunFolder.create(Path(config.simulation.runs), config.name)
    StudyPlan(config=config, arms=arms, trials=names).write(folder)
    return folder, names


def _score(config: Config, trial: RunFolder) -> float:
    """The score of a trial, which is run, gone on with, or over."""
    if trial.finished:
        return search_files.score(trial)
    return begun_or_resumed(config, trial).after.normalised()


def report_lines(
    costs: Mapping[str, tuple[float, float] | None], *, best: str | None, claim: bool
) -> list[str]:
    """Returns what a search says of its choice, in words that need no other page."""
    if best is None:
        return ["The draw was no trial: there is nothing to release."]
    lines = [f"Best: {best}"]
    for unit, cost in costs.items():
        if cost is None:
            lines.append(f"no ε of the choice for {PROTECTS[unit]}: an arm does not protect it")
            continue
        caveat = "" if claim else " (not a claim: the draws follow from the seed)"
        lines.append(
            f"ε of the choice ≤ {epsilon_text(cost[0])} at δ = {cost[1]:g} "
            f"for {PROTECTS[unit]},"
        )
        lines.append(f"  against who sees the best trial and no other{caveat}")
    return lines


def is_claim(config: Config, arms: Mapping[str, Config]) -> bool:
    """Whether the number of trials and the noise of every arm are secret draws."""
    return all(one.privacy.noise == "secure" for one in (config, *arms.values()))


def _one_population(config: Config, arms: Mapping[str, Config]) -> None:
    for name, arm in arms.items():
        if arm.photos != config.photos:
            raise SettingError(
                f"study: the arm {name} changes photos, but study=search tries its arms on one "
                "population; leave photos to all arms alike."
            )


def drawn(selection: Selection, arms: tuple[str, ...], *, source: Source) -> list[str]:
    """Returns the arm of each trial: a secret number of them, each drawn from all alike."""
    number = selection.draw(stream=source.stream("trials"))
    places = source.stream("arms").keyed_uniform(np.arange(number, dtype=np.int64))
    return [arms[int(place * len(arms))] for place in places]


def cost(
    selection: Selection, arms: Mapping[str, Config], *, unit: str, devices: int
) -> tuple[float, float] | None:
    """Returns ε and δ of the choice for one unit; None where an arm does not protect it.

    An arm's divergences are those of all its rounds or visits, and of every order the largest
    of all arms counts; δ is the largest of theirs.

    Args:
        selection: How many trials there are.
        arms: The public list of configurations.
        unit: ``example`` or ``device``.
        devices: Devices in the population.
    """
    runs = [arm.protection(devices=devices).units.get(unit) for arm in arms.values()]
    known = [one for one in runs if one is not None]
    if len(known) < len(runs):
        return None
    orders = rdp.ORDERS
    steps = [one.mechanism.steps_of(one.times) for one in known]
    worst = np.max([one.divergences(orders) for one in steps], axis=0)
    of_choice = selection.divergence(worst, orders=orders)
    delta = max(one.mechanism.delta for one in known)
    bounds = dict(zip(orders, of_choice.tolist(), strict=True))
    return renyi_conversion.epsilon(bounds, delta=delta), delta


def _source(config: Config, seed: int) -> Source:
    if config.privacy.noise == "secure":
        return SecureSource()
    return SeededSource(seed, "search")


def recomputed(file: Path) -> list[str]:
    """Returns what ``report_lines`` says of a search, computed anew from ``search.json``.

    No chain protects that file: whoever can change it can change what it says.

    Raises:
        ValueError: The file is not one that a search wrote.
    """
    try:
        found = json.loads(file.read_text())
        selection = Selection(
            trials=found["expected_trials"], distribution=found["distribution"]
        )
        arms = {name: rebuild(Config, plain) for name, plain in found["arms"].items()}
        devices, best, claim = int(found["devices"]), found["best"], bool(found["claim"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as failure:
        raise ValueError(
            f"{file} is damaged or another version's; a search of this version writes it."
        ) from failure
    costs = {unit: cost(selection, arms, unit=unit, devices=devices) for unit in PROTECTS}
    return report_lines(costs, best=best, claim=claim)


def _found(
    study: Search,
    arms: Mapping[str, Config],
    *,
    names: Sequence[str],
    scores: list[float],
    devices: int,
    claim: bool,
) -> dict[str, Any]:
    """All that the ε of the choice follows from; ``recomputed`` reads it."""
    trials = [{"arm": name, "score": score} for name, score in zip(names, scores, strict=True)]
    return {
        "distribution": study.distribution,
        "expected_trials": study.trials,
        "devices": devices,
        "claim": claim,
        "arms": {name: to_plain(arm) for name, arm in arms.items()},
        "best": names[search_files.best_of(trials)] if names else None,
        "simulation_only": {"trials": trials},
    }


def _show(console: Console, *, names: Sequence[str], scores: list[float]) -> None:
    best = int(np.argmax(scores)) if scores else None
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("trial", "arm", "NDCG@1"):
        table.add_column(heading)
    for number, (name, score) in enumerate(zip(names, scores, strict=True)):
        style = "bold" if number == best else ""
        table.add_row(str(number), name, percent(score), style=style)
    console.print(table)
