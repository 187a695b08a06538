"""How the arms of a study compare, and how sure their differences are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ranking.metrics.bootstrap import RESAMPLING_SEED, Estimate, paired_difference
from simulations.formats import epsilon_text, percent
from simulations.runs.run_folder import RunFolder, finite
from simulations.runs.whole_files import write_whole

REFERENCE = "no-privacy"
HEADINGS = ("arm", "ε", "before", "after", "gain", "95% interval", "kept", "over")


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """Where the arms of a study are in its grids.

    Attributes:
        axes: The value's name on each axis, for every arm of a grid.
        against: The arm that an arm is also compared with.
    """

    axes: Mapping[str, Mapping[str, str]]
    against: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """What one arm came to, over all seeds and held-out devices. Simulation only.

    Attributes:
        name: The arm's name; a row of its own has "fitted" after it where each held-out device
            fitted the arm's model to its own moments.
        epsilon: The worst device's ε in any seed, or None without a mechanism.
        claim: Whether that ε is a promise.
        before: Oracle-normalised NDCG@1 before training.
        after: The same after it.
        gain: Their paired difference, with its interval over seeds and devices.
        over: Paired difference to the arm that ``study.against`` names; None without one.
        kept: Gain as a share of the gain without privacy; None where there is no such arm, or
            it does not start where this one does.
    """

    name: str
    epsilon: float | None
    claim: bool
    before: float
    after: float
    gain: Estimate
    over: Estimate | None
    kept: float | None

    def cells(self) -> tuple[str, ...]:
        """Returns the row as one reads it."""
        return (
            self.name,
            self._epsilon(),
            percent(self.before),
            percent(self.after),
            f"{100 * self.gain.mean:+.1f}",
            _interval(self.gain),
            "" if self.kept is None else f"{100 * self.kept:.0f}%",
            ""
            if self.over is None
            else f"{100 * self.over.mean:+.1f} ({_interval(self.over)})",
        )

    def _epsilon(self) -> str:
        if self.epsilon is None:
            return "none"
        return epsilon_text(self.epsilon) + ("" if self.claim else ", no claim")


def show(
    folder: RunFolder,
    console: Console,
    *,
    arms: Sequence[str],
    seeds: Sequence[int],
    grid: Grid,
) -> None:
    """Prints how the runs in ``folder`` compare; writes ``study.json`` and ``study.md``.

    Args:
        folder: Of the study.
        console: Where to print.
        arms: Names of the arms, in order.
        seeds: Seeds of every arm.
        grid: Where the arms are in their grids.
    """
    compared = compare(folder.private, arms=arms, seeds=seeds, against=grid.against)
    orders = _orders(folder.private, arms=arms, seeds=seeds)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "arm" else "right")
    for arm in compared:
        table.add_row(*arm.cells())
    console.print(table)
    console.print("   ".join(f"{name} {percent(value)}" for name, value in orders.items()))
    console.print(
        "Oracle-normalised NDCG@1 of held-out devices, simulation only; "
        "intervals over seeds and devices."
    )
    plain = {
        "arms": [{**asdict(arm), "axes": grid.axes.get(arm.name, {})} for arm in compared],
        "orders": orders,
        "seeds": list(seeds),
    }
    write_whole(folder.private / "study.json", json.dumps(finite(plain), indent=2) + "\n")
    write_whole(folder.private / "study.md", markdown(compared, orders))


def compare(
    folder: Path,
    *,
    arms: Sequence[str],
    seeds: Sequence[int],
    against: Mapping[str, str] | None = None,
) -> list[Arm]:
    """Returns every arm of the study in ``folder``; ``against`` as in ``Grid``."""
    others = against or {}
    summaries = {arm: _summaries(folder / arm, seeds) for arm in arms}
    gains = {arm: _gain(found) for arm, found in summaries.items()}
    rows = [
        Arm(
            name=arm,
            epsilon=_epsilon(found),
            claim=all(one["claim"] for s in found for one in (s["privacy"] or {}).values()),
            before=float(np.nanmean(_by_device(found, "before"))),
            after=float(np.nanmean(_by_device(found, "after"))),
            gain=gains[arm],
            over=_over(summaries, arm, others.get(arm)),
            kept=gains[arm].mean / gains[REFERENCE].mean
            if _comparable(summaries, arm)
            else None,
        )
        for arm, found in summaries.items()
    ]
    fitted = [
        _fitted(row, summaries[row.name])
        for row in rows
        if summaries[row.name][0]["simulation_only"].get("personal_by_device")
    ]
    return rows + fitted


def _fitted(arm: Arm, summaries: Sequence[dict[str, Any]]) -> Arm:
    """The row of what devices fitted themselves, which begins where the arm ended."""
    own = _by_device(summaries, "personal")
    gain = _difference(own, _by_device(summaries, "after"))
    return replace(
        arm,
        name=f"{arm.name}, fitted",
        before=arm.after,
        after=float(np.nanmean(own)),
        gain=gain,
        over=None,
        kept=None,
    )


def _over(
    summaries: Mapping[str, Sequence[dict[str, Any]]], arm: str, other: str | None
) -> Estimate | None:
    """How much better than ``other`` an arm ended, on the same devices of the same seeds."""
    if other is None or other not in summaries:
        return None
    return _difference(
        _by_device(summaries[arm], "after"), _by_device(summaries[other], "after")
    )


def _difference(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Estimate:
    draws = np.random.default_rng(RESAMPLING_SEED)
    return paired_difference(ours, theirs, generator=draws)


def _interval(estimate: Estimate) -> str:
    return f"{100 * estimate.low:+.1f} to {100 * estimate.high:+.1f}"


def _comparable(summaries: Mapping[str, Sequence[dict[str, Any]]], arm: str) -> bool:
    if REFERENCE not in summaries:
        return False
    ours, theirs = (_by_device(summaries[name], "before") for name in (arm, REFERENCE))
    return np.array_equal(ours, theirs, equal_nan=True)


def markdown(arms: Sequence[Arm], orders: dict[str, float]) -> str:
    """Returns the table for a page of documentation."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(arm.cells() for arm in arms)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    ceilings = "\n".join(f"| {name} | {percent(value)} |" for name, value in orders.items())
    return f"{table}\n\n| order | NDCG@1 |\n| --- | --- |\n{ceilings}\n"


def _summaries(folder: Path, seeds: Sequence[int]) -> list[dict[str, Any]]:
    found = [RunFolder(folder / f"seed-{seed}").private / "summary.json" for seed in seeds]
    return [json.loads(summary.read_text()) for summary in found]


def _by_device(summaries: Sequence[dict[str, Any]], when: str) -> NDArray[np.float64]:
    """[seeds, devices] each device's contribution; NaN without a list."""
    return np.array([s["simulation_only"][f"{when}_by_device"] for s in summaries], np.float64)


def _gain(summaries: Sequence[dict[str, Any]]) -> Estimate:
    return _difference(_by_device(summaries, "after"), _by_device(summaries, "before"))


def _epsilon(summaries: Sequence[dict[str, Any]]) -> float | None:
    spent_by_seed = [summary["privacy"] for summary in summaries]
    if any(privacy is None for privacy in spent_by_seed):
        return None
    return max(float(one["worst"]) for found in spent_by_seed for one in found.values())


def _orders(folder: Path, *, arms: Sequence[str], seeds: Sequence[int]) -> dict[str, float]:
    """The named orders of the first arm's population, as means over seeds."""
    found = [
        summary["simulation_only"]["orders"] for summary in _summaries(folder / arms[0], seeds)
    ]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}
