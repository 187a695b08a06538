"""What a run and those that its start weights come from cost the same devices together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from privacy.protection.derivation import Protection
from privacy.statements.composition import Composed
from simulations.formats import epsilon_text
from simulations.privacy.card import PROTECTS
from simulations.runs.earlier.earlier_runs import EarlierRuns


def start(earlier: EarlierRuns, *, weights: str) -> str:
    """Returns where a run starts from, in words."""
    if earlier.name is None or earlier.name in weights:
        return weights
    return f"{weights} (trained by {earlier.name})"


def lines(earlier: EarlierRuns, protection: Protection) -> list[str]:
    """Returns what the card of a run must say beside its own promise, before it runs."""
    if earlier.name is None:
        return []
    said = [f"the start weights come from {earlier.name}, on what may be the same devices:"]
    for unit in protection.units:
        both = earlier.planned(protection, unit=unit)
        said.append(_bound(both, earlier, unit=unit))
    return said


def notes(card: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Returns the same at the end, of the run as it ran, from its card."""
    found = {unit: one["with_earlier"] for unit, one in card.items() if one["with_earlier"]}
    return tuple(
        f"With {', '.join(both['runs'])}, from which it started: "
        f"{_words(both['epsilon'], both['delta'], unit=unit)}."
        for unit, both in found.items()
    )


def added(
    cards: Mapping[str, dict[str, Any]], earlier: EarlierRuns, *, run: Path
) -> dict[str, dict[str, Any]]:
    """Returns the card with what each unit has paid in all, where a run started from others."""
    return {
        unit: {**one, "with_earlier": _plain(one, earlier, unit=unit, run=run)}
        for unit, one in cards.items()
    }


def _plain(
    card: Mapping[str, Any], earlier: EarlierRuns, *, unit: str, run: Path
) -> dict[str, Any] | None:
    if earlier.name is None:
        return None
    both, before = earlier.ran(run, unit=unit), earlier.promised(unit)
    return {
        "runs": [bill.name for bill in earlier.charged] or [earlier.name],
        "unknown": earlier.unknown,
        "epsilon": "infinity" if both is None else both.reported,
        "delta": card["delta"] if both is None else both.delta,
        "promised": "infinity"
        if before is None or card["epsilon"] == "infinity"
        else {"epsilon": card["epsilon"] + before[0], "delta": card["delta"] + before[1]},
    }


def _bound(both: Composed | None, earlier: EarlierRuns, *, unit: str) -> str:
    if both is None:
        why = earlier.unknown or "it did not protect this"
        return f"no bound for {PROTECTS[unit]} over both: {why}"
    return f"over both {_words(both.reported, both.delta, unit=unit)}"


def _words(epsilon: float | str, delta: float, *, unit: str) -> str:
    if isinstance(epsilon, str):
        return f"no bound for {PROTECTS[unit]}"
    return f"ε ≤ {epsilon_text(epsilon)} at δ = {delta:g} for {PROTECTS[unit]}"
