"""The ledgers of a run, held against the heads that its privacy card keeps."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from privacy.ledger_chain import Head
from simulations.ledger_view import ledgers, show

SEARCH = "search.json"


def show_run(run: Path, console: Console, *, lines: bool) -> bool:
    """Prints every ledger of a run; returns whether all of them hold.

    One that is shorter than the head in the run's privacy card, or another one, does not.

    Args:
        run: A run's folder, or one ledger's file.
        console: Where to.
        lines: Whether each line is explained too.

    Raises:
        ValueError: There is no ledger, or the card is damaged.
    """
    if run.is_file():
        return show(run, console, lines=lines)
    if (run / SEARCH).is_file():
        return _show_search(run, console, lines=lines)
    folder = run / "ledger"
    found = ledgers(folder) if folder.is_dir() else []
    if not found:
        raise ValueError(
            f"{run} holds no ledger; name the folder of a run with privacy, such as runs/NAME."
        )
    kept = _kept(run / "privacy.json")
    held = [show(one, console, lines=lines, kept=kept.get(one.stem)) for one in found]
    return all(held)


def _show_search(run: Path, console: Console, *, lines: bool) -> bool:
    """Verifies every trial of a search, and computes the ε of its choice anew."""
    from simulations.search import recomputed

    held = []
    for trial in sorted(path.parent for path in run.glob("trial-*/ledger")):
        console.print(trial.name)
        held.append(show_run(trial, console, lines=lines))
    console.print(f"{SEARCH}, which no chain protects:")
    for line in recomputed(run / SEARCH):
        console.print(f"  {line}")
    return all(held)


def _kept(card: Path) -> dict[str, Head]:
    """The heads by unit; none before the end of a run, which writes the card."""
    try:
        plain: dict[str, Any] = json.loads(card.read_text())
        heads = {unit: promise["ledger"] for unit, promise in plain.items()}
        return {unit: Head(**head) for unit, head in heads.items() if head is not None}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as failure:
        raise ValueError(
            f"{card} is damaged; a run writes it, and nothing else does."
        ) from failure
