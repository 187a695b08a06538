"""Follows a run round by round: counts, charges, has releases judged, shows."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from privacy.ledger.totals import Spent
from protocol.messages import Vector
from server.rounds.divergence import DivergedError
from server.rounds.outcome import RoundOutcome
from server.rounds.state import ServerState
from simulations.evaluation.figures import CUTOFFS, Figures, mean
from simulations.evaluation.judge import Judge
from simulations.privacy.spending import EpsilonSpent, Spending
from simulations.runs.checkpoints.checkpoint import Checkpoint, Counts
from simulations.runs.checkpoints.keeper import Forgets, Keeper, Progress, ReleasedModel


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MetricsRow:
    """One evaluation of a released model.

    Attributes:
        round: Rounds released so far; 0 before training.
        invited: Devices asked since the last evaluation.
        admitted: Updates that counted.
        declined: Expected answers of devices that do not take part, by reason.
        refused: Replies refused, by reason.
        missing: Replies that never came.
        figures: Simulation only.
        spent: The ε so far of each unit that is protected, by its name.
        released: Further figures that the last round released, under the same ε.
    """

    round: int
    invited: int
    admitted: int
    declined: dict[str, int]
    refused: dict[str, int]
    missing: int
    figures: Figures
    spent: Mapping[str, EpsilonSpent]
    released: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Returns the row as JSON has it; counts and figures are under "simulation_only"."""
        return {
            "round": self.round,
            "privacy": plain_spent(self.spent),
            "released": dict(self.released),
            "simulation_only": {
                "invited": self.invited,
                "admitted": self.admitted,
                "declined": self.declined,
                "refused": self.refused,
                "missing": self.missing,
                **plain_figures(self.figures),
            },
        }


def plain_spent(spent: Mapping[str, EpsilonSpent]) -> dict[str, Any] | None:
    """Returns the ε of each unit as JSON has it; None where nothing is protected."""
    return {unit: one.plain() for unit, one in spent.items()} or None


def plain_figures(figures: Figures) -> dict[str, Any]:
    """Returns the means over the held-out devices as JSON has them."""
    return {
        **{f"normalised_ndcg@{k}": figures.normalised(k) for k in CUTOFFS},
        **{f"ndcg@{k}": mean(figures.ndcg[k]) for k in CUTOFFS},
        "best_shot": mean(figures.best_shot),
        "loss": mean(figures.loss),
        "devices": int(np.isfinite(figures.best_shot).sum()),
        "lists_without_signal": figures.skipped,
        **({} if figures.own is None else {figures.own.name: mean(figures.own.values)}),
    }


class Audience(Protocol):
    """Whoever watches a run: a terminal, a file, nobody."""

    def started(self, number: int, *, cohort: int) -> None:
        """A round began."""

    def replied(self) -> None:
        """One device of the round is done."""

    def evaluated(self, row: MetricsRow) -> None:
        """A released model was judged."""

    def told(self, sentence: str) -> None:
        """Something is to be said of the run that no row says."""


class Silence:
    """An audience that looks away."""

    def started(self, number: int, *, cohort: int) -> None:
        """Does nothing."""

    def replied(self) -> None:
        """Does nothing."""

    def evaluated(self, row: MetricsRow) -> None:
        """Does nothing."""

    def told(self, sentence: str) -> None:
        """Does nothing."""


@dataclass(kw_only=True)
class Recorder:
    """Follows a run: counts and charges its rounds, and has its releases kept and judged.

    Attributes:
        judge: Judges them.
        every: Rounds from one evaluation to the next.
        rounds: Rounds of the run; the last is always evaluated.
        spending: What each unit that is protected has spent.
        audience: Is shown each row.
        keeper: Keeps each round before its release is judged.
        rows: Every evaluation of this process, the public ranker's first.
    """

    judge: Judge
    every: int
    rounds: int
    spending: Mapping[str, Spending]
    audience: Audience
    keeper: Keeper = field(default_factory=Forgets)
    rows: list[MetricsRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._last = self._judged = ReleasedModel(round=0, parameters=self.judge.start)
        self._invited = self._admitted = self._missing = 0
        self._declined: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._released: Mapping[str, float] = {}
        self._written = 0

    @property
    def round(self) -> int:
        """Rounds released so far."""
        return self._last.round

    @property
    def progress(self) -> Progress:
        """What a recorder of the same run would go on from."""
        counts = Counts(
            invited=self._invited,
            admitted=self._admitted,
            missing=self._missing,
            declined=dict(self._declined),
            refused=dict(self._refused),
            released=dict(self._released),
        )
        return Progress(counts=counts, rows=self._written, judged=self._judged)

    def begin(self) -> None:
        """Judges the model before the first round."""
        start = self.judge.start
        state = ServerState(round=0, parameters=start, model=start)
        self.keeper.keep(lambda: state, self.progress)
        self._evaluate()

    def resume(self, checkpoint: Checkpoint) -> None:
        """Goes on after the last round that was kept, and judges it where that is due.

        ``metrics.jsonl`` must have no more than the rows that the checkpoint counts.
        """
        counts, number = checkpoint.counts, checkpoint.server.round
        self._invited, self._admitted = counts.invited, counts.admitted
        self._missing, self._released = counts.missing, counts.released
        self._declined, self._refused = Counter(counts.declined), Counter(counts.refused)
        self._written = checkpoint.rows
        if number:
            before = ReleasedModel(round=0, parameters=self.judge.start)
            self._judged = ReleasedModel(
                round=checkpoint.judged_round, parameters=checkpoint.judged
            )
            for one in (before, self._judged):
                figures = self.judge.figures(one.parameters)
                self.rows.append(self._row(figures, number=one.round))
            self._last = ReleasedModel(round=number, parameters=checkpoint.server.model)
        if self._due(number):
            self._evaluate()

    def started(self, number: int, *, cohort: int) -> None:
        """Passes on that a round began."""
        self.audience.started(number, cohort=cohort)

    def replied(self) -> None:
        """Passes on that one device is done."""
        self.audience.replied()

    def closed(self, outcome: RoundOutcome) -> None:
        """Counts a round, has it kept, and judges its release when that is due.

        Raises:
            DivergedError: The release is not finite, or orders no photos: the run is to end.
        """
        self._invited += outcome.invited
        self._admitted += outcome.admitted
        self._missing += outcome.missing
        self._released = outcome.released
        self._declined.update({str(reason): n for reason, n in outcome.declined.items()})
        self._refused.update({str(reason): n for reason, n in outcome.refused.items()})
        for spending in self.spending.values():
            spending.charge(outcome.participants)
        if not np.isfinite(outcome.parameters).all():
            raise DivergedError(outcome.round, "its parameters are not finite")
        # What could not be kept is not released, not even as the last model of the run.
        if outcome.state is not None:
            self.keeper.keep(outcome.state, self.progress)
        self._last = ReleasedModel(round=outcome.round, parameters=outcome.parameters)
        if self._due(outcome.round):
            self._evaluate()

    def finish(self, parameters: Vector) -> None:
        """Judges the result of a run without rounds.

        Raises:
            DivergedError: It is no model.
        """
        self._last = ReleasedModel(round=self.rounds, parameters=parameters)
        self._evaluate()

    def stop(self) -> Vector:
        """Returns the model to keep of a run that ended before its time; the last row is its.

        It is the one released last or, where that orders no photos, the one judged last.
        """
        self.keeper.stop()
        if self.rows[-1].round != self.round:
            # What orders no photos gives place to the one judged last, whose row is there.
            with suppress(DivergedError):
                self._evaluate()
        return self._last.parameters

    def settle(self, ledgers: Mapping[str, Spent]) -> None:
        """Takes over what the ledgers of the units say: a charge may have no round, or two."""
        for unit, spent in ledgers.items():
            self.spending[unit].follow(spent)

    def spent(self) -> dict[str, EpsilonSpent]:
        """Returns the ε so far of each unit that is protected."""
        return {unit: spending.spent() for unit, spending in self.spending.items()}

    def _due(self, number: int) -> bool:
        return number % self.every == 0 or number == self.rounds

    def _evaluate(self) -> None:
        number = self.round
        try:
            figures = self.judge.figures(self._last.parameters)
        except ValueError as failure:
            self._last = self._judged
            raise DivergedError(number, str(failure).removesuffix(".")) from failure
        row = self._row(figures, number=number)
        self._judged = self._last
        self._invited = self._admitted = self._missing = 0
        self._declined.clear()
        self._refused.clear()
        self.rows.append(row)
        self._written += 1
        self.audience.evaluated(row)
        self.keeper.judged(lambda: plain_figures(figures), released=row.released)

    def _row(self, figures: Figures, *, number: int) -> MetricsRow:
        return MetricsRow(
            round=number,
            invited=self._invited,
            admitted=self._admitted,
            declined=dict(self._declined),
            refused=dict(self._refused),
            missing=self._missing,
            figures=figures,
            spent=self.spent(),
            released=self._released,
        )
