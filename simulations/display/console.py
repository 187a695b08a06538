"""What a person sees of a run: a header, a live line, a table, the figures at the end."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from simulations.evaluation.figures import mean
from simulations.formats import decimals, epsilon_text, percent
from simulations.runs.recorder import MetricsRow

COLUMNS = (
    ("round", 5),
    ("updates", 13),
    ("refused", 8),
    ("loss", 7),
    ("NDCG@1", 8),
    ("best shot", 10),
    ("ε moment", 9),
    ("ε device", 9),
)


class Screen:
    """Shows a run on a terminal, or as plain lines where there is none.

    A context manager: the live line is gone when it ends, also by an interrupt.
    """

    def __init__(self, console: Console, *, rounds: int, title: str = "") -> None:
        """Begins with nothing on the screen.

        Args:
            console: Where to.
            rounds: Rounds of the run.
            title: Stands before the live line of a run whose table is not shown.
        """
        self._console = console
        self._rounds = rounds
        self._title = title
        self._progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.completed}/{task.total} devices"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID = self._progress.add_task("starting", total=None, visible=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def heading(self) -> None:
        """Prints the table's head."""
        cells = "".join(name.rjust(width) for name, width in COLUMNS)
        self._console.print(Text(cells, style="bold"))

    def started(self, number: int, *, cohort: int) -> None:
        """Begins the live line of a round."""
        self._progress.reset(
            self._task,
            total=cohort,
            visible=True,
            description=f"{self._title}round {number} of {self._rounds}",
        )

    def replied(self) -> None:
        """Moves the live line on by one device."""
        self._progress.advance(self._task)

    def evaluated(self, row: MetricsRow) -> None:
        """Prints a row of the table, where it is shown."""
        if self._title:
            return
        figures = row.figures
        cells = (
            str(row.round),
            f"{row.admitted}/{row.invited}" if row.round else "–",
            str(sum(row.refused.values())),
            decimals(mean(figures.loss)),
            percent(figures.normalised(1)),
            percent(mean(figures.best_shot)),
            *(_worst(row, unit) for unit in ("example", "device")),
        )
        line = "".join(
            cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True)
        )
        self._console.print(Text(line))

    def told(self, sentence: str) -> None:
        """Prints a sentence of its own."""
        self._console.print(Text(f"{self._title}{sentence}"), soft_wrap=True)


def _worst(row: MetricsRow, unit: str) -> str:
    return epsilon_text(row.spent[unit].worst if unit in row.spent else None)
