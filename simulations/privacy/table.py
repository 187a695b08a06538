"""The table of choices: what each ε costs under each mechanism."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from privacy.statements.profile import EPSILONS
from simulations.configuration.settings import Config
from simulations.privacy.plan import Choice, Plan, choices
from simulations.privacy.solution import remarks
from simulations.privacy.winners import winners

HEADS = {
    "dpsgd": ("moment", "dpsgd"),
    "gaussian": ("device", "gaussian"),
    "matrix": ("device", "matrix"),
    "local": ("device", "local"),
}
LEAST_SHOWN, MOST_SHOWN = "<0.1", ">10000"


def show(config: Config, console: Console) -> None:
    """Prints what each ε would cost this run, and what its own target allows.

    Raises:
        ValueError: Same as ``Plan.of``.
    """
    plan = Plan.of(config)
    for line in _facts(plan):
        console.print(line, soft_wrap=True)
    console.print(_table(plan))
    for line in (*_legend(plan), *remarks(config), *winners(config)):
        console.print(line, soft_wrap=True)


def _facts(plan: Plan) -> Iterator[str]:
    example = plan.example
    run = plan.run
    yield f"{run.devices} devices, {run.rounds} rounds, {run.cohort:g} expected in each"
    yield (
        f"moment   δ = {example.delta:.2g}, {plan.example_visits} visits of {example.steps} "
        f"steps, rate {example.sampling.rate:g}"
    )
    yield f"device   δ = {plan.device_delta:.2g}: a whole library"
    yield ""


def _table(plan: Plan) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 0, 0, 1), pad_edge=False, show_edge=False)
    table.add_column("\n\nε", justify="right")
    for unit, mechanism in HEADS.values():
        table.add_column(f"{unit}\n{mechanism}\nnoise", justify="right", min_width=9)
        table.add_column("\n\nmean", justify="right", min_width=5)
    columns = choices(plan)
    for epsilon in EPSILONS:
        found = [columns[name](epsilon) for name in HEADS]
        table.add_row(f"{epsilon:g}", *(cell for choice in found for cell in _cells(choice)))
    return table


def _cells(choice: Choice) -> tuple[str, str]:
    if choice.noise == 0:
        return LEAST_SHOWN, ""
    if math.isinf(choice.noise):
        return MOST_SHOWN, ""
    return f"{choice.noise:.3g}", f"{choice.on_mean:.2g}"


def _legend(plan: Plan) -> Iterator[str]:
    yield ""
    yield "noise    the noise multiplier, in clips: on the sum of a step (dpsgd) or of a"
    yield "         round (gaussian), before it is correlated (matrix), on each update"
    yield "         (local)"
    yield "mean     what quality feels: noise on each coordinate of the mean over a cohort,"
    yield "         in clips; of one step's gradient (dpsgd), else of the round's update"
    yield "matrix   mean is that of the uncorrelated noise that would leave the models as"
    yield "         far off"
    yield ""
