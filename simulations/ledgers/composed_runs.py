"""What several runs over one population cost together: all losses added up, by device."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from client.consent.lifetime import CONFIGURATION
from privacy.statements import composition
from privacy.statements.composition import Composed
from simulations.formats import epsilon_text
from simulations.ledgers import one_population
from simulations.ledgers.ledger_view import print_rows
from simulations.ledgers.run_ledger import is_search, show_kept, show_run
from simulations.privacy.card import PROTECTS
from simulations.runs.earlier import bills
from simulations.runs.earlier.bills import Bill, Ledger, bills_of, is_run

SHARES = (0.5, 0.9)
"""Shares of the devices named whose ε is shown beside the worst: the middle one, 9 in 10."""

FIXED = (
    "as if all had been decided before the first: settings, and whether there is another run"
)
STARTED = "the start weights were trained on what may be the same devices"
STATED = "one population because you say so: the worst device of one may be that of another"


def show_runs(
    paths: Sequence[Path], console: Console, *, lines: bool = False, same: bool = False
) -> bool:
    """Prints the ledgers of every run, then their ε together; returns whether all hold.

    Those that a run started from are shown and counted with it. The runs in a folder, as of a
    study or of many days, are composed apart for each population.

    Args:
        paths: Runs, folders of runs, or folders in which devices keep a ledger for each
            configuration.
        console: Where to.
        lines: Whether each line is explained too.
        same: Whether they are of one population though their settings do not say so.

    Raises:
        ValueError: A run is named twice or holds no ledger, or runs that were named one by one
            are of several populations.
    """
    listed = [(path, _runs(path)) for path in paths]
    runs = [run for _, found in listed for run in found]
    if same or all(found == [path] for path, found in listed):
        return _show_group(runs, console, lines=lines, same=same)
    groups = one_population.groups(runs)
    held = [_show_group(one, console, lines=lines, same=same) for one in groups]
    return all(held)


def _show_group(runs: Sequence[Path], console: Console, *, lines: bool, same: bool) -> bool:
    earlier = [(run, one) for run in runs for one in bills.earlier_of(run)]
    if len(runs) == 1 and not earlier:
        return show_run(runs[0], console, lines=lines)
    why = _why_together(runs, same=same) if len(runs) > 1 else STARTED
    held = []
    for run in runs:
        console.print(Text(str(run)), soft_wrap=True)
        held.append(show_run(run, console, lines=lines))
    for run, one in earlier:
        console.print(Text(f"{one.name}, from which {run.name} started"), soft_wrap=True)
        held.append(show_kept(one, console, lines=lines))
    if not all(held):
        console.print("no ε together: a ledger above does not hold")
        return False
    charged = bills_of(runs)
    console.print(f"{len(charged)} together")
    apart = same or not one_population.known([*runs, *(one for _, one in earlier)])
    print_rows(console, [("population", why), ("", FIXED), *_rows(charged, same=apart)])
    return True


def _runs(path: Path) -> list[Path]:
    """A run by itself; of a folder the runs in it, of a device's one for each configuration."""
    study = (path / "private" / "study.json").exists()
    if not path.is_dir() or (is_run(path) and not study):
        return [path]
    own = [one for one in path.iterdir() if CONFIGURATION.fullmatch(one.name)]
    inner = path.glob("private/*/*") if study else path.iterdir()
    found = [run for one in inner if is_run(one) for run in _charged(one)]
    return sorted(own) or sorted(found) or [path]


def _charged(run: Path) -> list[Path]:
    """A run where it has ledgers; of a search its trials, of a study its runs."""
    if is_search(run):
        return sorted(run.glob("private/trial-*"))
    if (run / "private" / "study.json").exists():
        return _runs(run)
    return [run] if bills.ledgers_of(run) else []


def _why_together(runs: Sequence[Path], *, same: bool) -> str:
    if len({run.resolve() for run in runs}) < len(runs):
        raise ValueError("a run is named twice; name each once.")
    for run in runs:
        if is_search(run):
            raise ValueError(
                f"{run} is a search, whose choice has an ε of its own; name its trials, "
                f"{run}/private/trial-N."
            )
        if run.is_file():
            raise ValueError(f"{run} is one ledger's file; name the folder of its run.")
    return STATED if same else one_population.assumption(runs)


def _rows(charged: Sequence[Bill], *, same: bool) -> Iterator[tuple[str, str]]:
    for unit, protects in PROTECTS.items():
        paid = [bill.of(unit) for bill in charged]
        open_ones = [bill.name for bill, one in zip(charged, paid, strict=True) if one is None]
        if len(open_ones) == len(charged):
            continue
        yield "", f"for {protects}:"
        if open_ones:
            yield "ε", f"without bound: {', '.join(open_ones)} does not protect it"
            continue
        try:
            yield from _costs([one for one in paid if one is not None], same=same)
        except ValueError as failure:
            yield "ε", f"unknown: {failure}"


def _costs(paid: Sequence[Ledger], *, same: bool) -> Iterator[tuple[str, str]]:
    terms = [one for one, _ in paid]
    rounds = terms[0].unit == "device"
    yield _cost("ε" if rounds else "ε worst", bills.together(paid, aligned=not same))
    if rounds or same:
        return
    by_cost = composition.ascending(terms, bills.visits(paid))
    for share in SHARES:
        cheapest = by_cost[: math.ceil(share * len(by_cost))]
        yield _cost(f"ε of {share:.0%}", composition.worst(terms, cheapest))


def _cost(name: str, cost: Composed) -> tuple[str, str]:
    claim = "" if cost.claim else "; not a claim: draws were not secret"
    return name, (
        f"{epsilon_text(cost.reported)} at δ = {cost.delta:g}: {epsilon_text(cost.pld)} by "
        f"loss distributions, {epsilon_text(cost.rdp)} by Rényi accounting{claim}"
    )
