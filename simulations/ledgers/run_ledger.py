"""The ledgers of a run, held against every part of the run that names them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from privacy.ledger.chain import Head
from simulations.ledgers.ledger_view import print_rows, show
from simulations.runs import run_parts
from simulations.runs.earlier.bills import earlier_of, is_run, ledgers_of
from simulations.runs.run_folder import CARD, CONFIG, EARLIER, RunFolder
from simulations.studies.search_files import FILE as SEARCH

UNFINISHED = (
    "this run goes on, or crashed before its end: no card is there, so its ledgers are held "
    "against their own heads alone"
)
WHOLE = "every file that the run left is the one that private/parts.json names"


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What the parts of a run say of its ledgers.

    Attributes:
        heads: For each unit that has a ledger its head in the card; None before the end.
        faults: One sentence for each part that does not hold.
        ended: Whether the run came to its end.
    """

    heads: Mapping[str, Head | None]
    faults: Sequence[str]
    ended: bool


def show_run(run: Path, console: Console, *, lines: bool) -> bool:
    """Prints every ledger of a run; returns whether all of them hold.

    Guarantee: for a run that came to its end, any file of it that is missing, changed, older or
    of another run makes this False and is named, unless ``private/parts.json`` was written anew
    to match: only a copy kept elsewhere finds that.

    Args:
        run: A run's folder, a folder of ledgers alone, or one ledger's file.
        console: Where to.
        lines: Whether each line is explained too.

    Raises:
        ValueError: There is no ledger and nothing that names one.
    """
    if run.is_file():
        return show(run, console, lines=lines)
    if is_search(run):
        return _show_search(run, console, lines=lines)
    if (run / "private" / "study.json").exists():
        raise ValueError(
            f"{run} is a study; name a run in it, such as {run}/private/ARM/seed-0."
        )
    if is_run(run):
        return _show_run(RunFolder(run), console, lines=lines)
    if run.name == "public":
        raise ValueError(
            f"{run} is what may be shared and holds no ledger; name the run's folder."
        )
    return _show_alone(run, console, lines=lines)


def show_kept(run: Path, console: Console, *, lines: bool) -> bool:
    """Prints the ledgers that a run keeps of one from which it started; whether they hold."""
    heads = _heads(run / "private" / CARD)
    held = [
        show(one, console, lines=lines, kept=heads.get(one.stem)) for one in ledgers_of(run)
    ]
    return all(held) and len(held) == len(heads)


def is_search(path: Path) -> bool:
    """Whether a folder is that of a search, or what is left of one."""
    files = (path / half / SEARCH for half in ("private", "public"))
    return any(file.exists() for file in files) or any(path.glob("private/trial-*"))


def named(run: RunFolder) -> Named:
    """Returns what the parts of a run say of its ledgers, and whether they are whole."""
    if not run_parts.ended(run.path):
        return _begun(run)
    faults = run_parts.faults(run.path, *run_parts.of_any_run())
    try:
        heads = _heads(run.private / CARD)
    except ValueError as failure:
        heads, faults = {}, faults or [str(failure)]
    return Named(heads=heads, faults=faults, ended=True)


def _begun(run: RunFolder) -> Named:
    """Of a run without an end, its settings say which units have a ledger."""
    path = run.private / CONFIG
    try:
        privacy = yaml.safe_load(path.read_text())["privacy"]
        units = [unit for unit in ("example", "device") if privacy[unit]["mechanism"] != "none"]
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        fault = f"{path} is missing, damaged or cannot be read; {run_parts.WAY_OUT}."
        return Named(heads={}, faults=[fault], ended=False)
    return Named(heads=dict.fromkeys(units), faults=[], ended=False)


def _heads(card: Path) -> dict[str, Head | None]:
    """The head of each unit in a card; every unit there was charged to a ledger.

    Raises:
        ValueError: The card is missing or damaged, or names no head where there must be one.
    """
    try:
        plain: dict[str, Any] = json.loads(card.read_text())
        return {unit: Head(**promise["ledger"]) for unit, promise in plain.items()}
    except FileNotFoundError as failure:
        raise ValueError(f"{card} is missing; {run_parts.WAY_OUT}.") from failure
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as failure:
        raise ValueError(
            f"{card} is damaged or names no head of a ledger; {run_parts.WAY_OUT}."
        ) from failure


def _show_run(run: RunFolder, console: Console, *, lines: bool) -> bool:
    found = named(run)
    there = ledgers_of(run.path)
    by_unit = {path.stem: path for path in there}
    units = sorted({*found.heads, *by_unit})
    if not units and not found.faults:
        raise ValueError(
            f"{run.path} holds no ledger; name the folder of a run with privacy, such as "
            "runs/NAME."
        )
    faults = [*found.faults, *_strangers(by_unit, found), *_lost(run)]
    _show_parts(console, faults, ended=found.ended)
    held = [
        show(run.ledgers / f"{unit}.jsonl", console, lines=lines, kept=found.heads.get(unit))
        for unit in units
    ]
    return all(held) and not faults


def _strangers(there: Mapping[str, Path], found: Named) -> Iterator[str]:
    for unit, path in there.items():
        if unit not in found.heads and not found.faults:
            yield f"{path} is a ledger that no part of its run names; {run_parts.WAY_OUT}."


def _lost(run: RunFolder) -> Iterator[str]:
    """Ledgers of the runs that the start weights come from: without them ε is too small."""
    kept = len(earlier_of(run.path))
    for unit, card in _cards(run).items():
        both = card.get("with_earlier")
        if both and not both["unknown"] and len(both["runs"]) != kept:
            yield (
                f"{run.private / EARLIER} has {kept} ledgers of runs from which this one "
                f"started, and {CARD} names {len(both['runs'])} for the unit {unit}; "
                f"{run_parts.WAY_OUT}."
            )


def _cards(run: RunFolder) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads((run.private / CARD).read_text())
    except (OSError, ValueError):
        return {}  # a card that cannot be read is told where its heads are
    return found if isinstance(found, dict) else {}


def _show_parts(console: Console, faults: Sequence[str], *, ended: bool) -> None:
    console.print("parts")
    rows = [("broken", fault) for fault in faults]
    if not faults:
        rows = [("verified", WHOLE)] if ended else [("unfinished", UNFINISHED)]
    print_rows(console, rows)


def _show_alone(folder: Path, console: Console, *, lines: bool) -> bool:
    """Prints ledgers that stand in a folder of their own, as Flower's server keeps them."""
    found = ledgers_of(folder)
    if not found:
        raise ValueError(
            f"{folder} holds no ledger; name the folder of a run with privacy, such as "
            "runs/NAME."
        )
    held = [show(one, console, lines=lines) for one in found]
    return all(held)


def _show_search(run: Path, console: Console, *, lines: bool) -> bool:
    """Verifies every trial of a search, and computes the ε of its choice anew."""
    from simulations.studies.search import recomputed

    trials = sorted(run.glob("private/trial-*"))
    ended = run_parts.ended(run) or (run / "private" / SEARCH).exists()
    faults = _search_faults(run, trials) if ended else []
    _show_parts(console, faults, ended=ended)
    held = []
    for trial in trials:
        console.print(trial.name)
        held.append(_show_run(RunFolder(trial), console, lines=lines))
    if ended and not faults:
        console.print(f"{SEARCH}, which no chain protects:")
        for line in recomputed(run / "private" / SEARCH):
            console.print(f"  {line}")
    return all(held) and not faults


def _search_faults(run: Path, trials: Sequence[Path]) -> list[str]:
    """A search names its trials by their number: one that is gone, or one more, is found."""
    path = run / "private" / SEARCH
    try:
        count = len(json.loads(path.read_text())["simulation_only"]["trials"])
    except (OSError, ValueError, TypeError, KeyError):
        return [f"{path} is missing, damaged or cannot be read; {run_parts.WAY_OUT}."]
    both = (run_parts.of_search(count, shared=shared) for shared in (True, False))
    expected = {run / "private" / f"trial-{number}" for number in range(count)}
    strangers = [
        f"{trial} is a trial that {path} does not name; {run_parts.WAY_OUT}."
        for trial in trials
        if trial not in expected
    ]
    return [*run_parts.faults(run, *both), *strangers]
