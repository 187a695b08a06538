"""The figures at the end of a run, between its anchors and its ceilings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ranking.metrics.bootstrap import RESAMPLING_SEED, Estimate, paired_difference
from simulations.configuration.settings import Config
from simulations.display.typed import changed, command
from simulations.evaluation.figures import Figures, mean
from simulations.formats import epsilon_text, percent
from simulations.runs.run import Result

STRONGER = 2.0
"""The ε of a moment that is offered to a weaker promise: docs/results.md has figures at it."""

WORDS = {"example": "moment", "device": "device"}


def show(
    config: Config,
    console: Console,
    *,
    result: Result,
    reference: Result | None,
) -> None:
    """Prints every order side by side: 0 is a random order, 100 the best possible one.

    Args:
        config: What ran.
        console: Where to.
        result: Of the run.
        reference: Of the same run without privacy, or None.
    """
    rows = {**result.orders, _before(config): result.before}
    if reference is not None:
        rows["this run without privacy"] = reference.after
    rows["this run"] = result.after
    if result.personal is not None:
        rows["this run, personal"] = result.personal
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("NDCG@1", justify="right")
    table.add_column("best shot", justify="right")
    table.add_column("")
    for name, figures in sorted(rows.items(), key=lambda item: item[1].normalised()):
        cells = (name, percent(figures.normalised()), percent(mean(figures.best_shot)))
        ours = name == "this run"
        table.add_row(*cells, _promise(result) if ours else "", style="bold" if ours else "")
    console.print()
    console.print(table)
    for line in (*result.remarks, *_own_metric(rows), *_notes(result)):
        console.print(Text(line))


def gain(result: Result) -> Estimate:
    """The paired difference that training made, with its 95% interval over devices."""
    return paired_difference(
        result.after.contributions()[None],
        result.before.contributions()[None],
        generator=np.random.default_rng(RESAMPLING_SEED),
    )


def next_steps(
    config: Config, console: Console, folder: Path, *, overrides: Sequence[str] = ()
) -> None:
    """Prints what one may type next; a run of it goes on from what was typed for this one.

    Args:
        config: What ran.
        console: Where to.
        folder: Of the run.
        overrides: What was typed to get ``config``.
    """
    steps = [(command("darkroom", "rank", str(folder), "DIR"), _worth(config))]
    if _promises_less(config):
        stronger = changed(overrides, f"privacy.example.epsilon={STRONGER:g}")
        steps.append((command("darkroom", "simulate", *stronger), "a stronger promise"))
    if config.photos.made:
        steps.append(("darkroom photos sample DIR", "real photographs to train on"))
    width = max(len(line) for line, _ in steps)
    console.print()
    for line, purpose in steps:
        console.print(Text(f"  {line.ljust(width)}   {purpose}"), soft_wrap=True)


def _promises_less(config: Config) -> bool:
    """Whether a moment's noise follows from an ε above the stronger one."""
    example = config.privacy.example
    epsilon = getattr(example, "epsilon", None)
    return example.derives_noise and epsilon is not None and epsilon > STRONGER


def _worth(config: Config) -> str:
    """What one gets of this model among one's own photographs."""
    if config.photos.made:
        return "rank photographs with this model, which knows drawings: maybe worse than chance"
    return "rank your own photographs with this model"


def _before(config: Config) -> str:
    return "random weights" if config.ranking.weights is None else "public ranker, untrained"


def _promise(result: Result) -> str:
    if not result.spent:
        return "no privacy"
    promises = [
        f"{epsilon_text(one.worst)} a {WORDS[unit]}" for unit, one in result.spent.items()
    ]
    claim = "" if all(one.claim for one in result.spent.values()) else ", not a claim"
    return f"ε {', '.join(promises)}{claim}"


def _own_metric(rows: Mapping[str, Figures]) -> list[str]:
    """A line for each order by the metric of a public set that has one of its own."""
    owned = {name: figures.own for name, figures in rows.items() if figures.own is not None}
    lines = [f"{one.name} of {name}: {mean(one.values):.3f}" for name, one in owned.items()]
    scales = {f"{one.name}, a mean over devices: {one.scale}." for one in owned.values()}
    return [*lines, *sorted(scales)]


def _notes(result: Result) -> tuple[str, ...]:
    estimate = gain(result)
    best = "the owners' own taste" if result.orders else "the feedback given, ideal-normalised"
    return (
        f"Training changed NDCG@1 by {100 * estimate.mean:+.1f} points;",
        f"95% of resampled devices: {100 * estimate.low:+.1f} to {100 * estimate.high:+.1f}.",
        f"NDCG@1: 0 is a random order, 100 {best}.",
        "All figures: simulation only.",
    )
