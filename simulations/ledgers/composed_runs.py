"""What several runs over one population cost together: all losses added up, by device."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from client.consent.lifetime import CONFIGURATION
from privacy.ledger.chain import examine
from privacy.ledger.records import Terms
from privacy.ledger.totals import Spent
from privacy.statements import composition
from privacy.statements.composition import Composed
from simulations.formats import epsilon_text
from simulations.ledgers import one_population
from simulations.ledgers.ledger_view import print_rows
from simulations.ledgers.run_ledger import is_run, is_search, ledgers_of, show_run
from simulations.privacy.card import PROTECTS

SHARES = (0.5, 0.9)
"""Shares of the devices named whose ε is shown beside the worst: the middle one, 9 in 10."""

FIXED = (
    "as if all had been decided before the first: settings, and whether there is another run"
)
STATED = "one population because you say so: the worst device of one may be that of another"
Ledger = tuple[Terms, Spent]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill:
    """What one run charged.

    Attributes:
        name: Of its folder.
        units: Terms and charges, by unit.
    """

    name: str
    units: Mapping[str, Ledger]

    def of(self, unit: str) -> Ledger | None:
        """Returns what bounds a unit: noise on a library's update hides a moment as well."""
        if unit in self.units:
            return self.units[unit]
        library = self.units.get("device")
        return library if library is not None and library[0].unit == "example" else None


def show_runs(
    paths: Sequence[Path], console: Console, *, lines: bool = False, same: bool = False
) -> bool:
    """Prints the ledgers of every run, then their ε together; returns whether all hold.

    Args:
        paths: Runs, or folders in which devices keep a ledger for each configuration.
        console: Where to.
        lines: Whether each line is explained too.
        same: Whether they are of one population though their settings do not say so.

    Raises:
        ValueError: A run is named twice or holds no ledger, or they are of several populations.
    """
    runs = [run for path in paths for run in _runs(path)]
    if len(runs) == 1:
        return show_run(runs[0], console, lines=lines)
    why = _why_together(runs, same=same)
    held = []
    for run in runs:
        console.print(Text(str(run)), soft_wrap=True)
        held.append(show_run(run, console, lines=lines))
    if not all(held):
        console.print("no ε together: a ledger above does not hold")
        return False
    console.print(f"{len(runs)} together")
    print_rows(console, [("population", why), ("", FIXED), *_rows(_bills(runs), same=same)])
    return True


def _runs(path: Path) -> list[Path]:
    """A run by itself; of a device's own folder, one for each configuration."""
    if not path.is_dir() or is_run(path):
        return [path]
    own = [one for one in path.iterdir() if CONFIGURATION.fullmatch(one.name)]
    return sorted(own) or [path]


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


def _bills(runs: Sequence[Path]) -> list[Bill]:
    return [Bill(name=run.name, units=dict(_units(run))) for run in runs]


def _units(run: Path) -> Iterator[tuple[str, Ledger]]:
    for path in ledgers_of(run):
        found = examine(path.parent, path.stem)
        yield path.stem, (found.terms, found.spent)


def _rows(bills: Sequence[Bill], *, same: bool) -> Iterator[tuple[str, str]]:
    for unit, protects in PROTECTS.items():
        paid = [bill.of(unit) for bill in bills]
        open_ones = [bill.name for bill, one in zip(bills, paid, strict=True) if one is None]
        if len(open_ones) == len(bills):
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
    if terms[0].unit == "device" or same:
        most = [spent.charges if one.unit == "device" else spent.most for one, spent in paid]
        yield _cost("ε" if terms[0].unit == "device" else "ε worst", _of(terms, [tuple(most)]))
        return
    visits = _visits([spent for _, spent in paid])
    yield _cost("ε worst", _of(terms, visits))
    by_cost = composition.ascending(terms, visits)
    for share in SHARES:
        cheapest = by_cost[: math.ceil(share * len(by_cost))]
        yield _cost(f"ε of {share:.0%}", _of(terms, cheapest))


def _visits(spent: Sequence[Spent]) -> list[tuple[int, ...]]:
    """For each device that is named anywhere its charges in every run; unknown ones count."""
    devices = sorted({device for one in spent for device in one.visits})
    everybody = [tuple(one.of(device) for one in spent) for device in devices]
    return everybody or [tuple(one.unknown for one in spent)]


def _of(terms: Sequence[Terms], visits: Sequence[tuple[int, ...]]) -> Composed:
    return composition.worst(terms, visits)


def _cost(name: str, cost: Composed) -> tuple[str, str]:
    claim = "" if cost.claim else "; not a claim: draws were not secret"
    return name, (
        f"{epsilon_text(cost.reported)} at δ = {cost.delta:g}: {epsilon_text(cost.pld)} by "
        f"loss distributions, {epsilon_text(cost.rdp)} by Rényi accounting{claim}"
    )
