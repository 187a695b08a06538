"""Follows a run round by round: evaluates, counts, writes, shows."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from protocol.messages import Vector
from ranking.model.ranker import Ranker
from ranking.parameters import flatten, load_flat
from server.rounds.outcome import RoundOutcome
from simulations.evaluation.figures import CUTOFFS, Figures, evaluate, mean
from simulations.evaluation.held_out import HeldOut
from simulations.privacy.spending import Spending, Spent

SLOWER = "lower training.lr or server.lr"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Row:
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
        told: Further figures that the last round released, under the same ε.
    """

    round: int
    invited: int
    admitted: int
    declined: dict[str, int]
    refused: dict[str, int]
    missing: int
    figures: Figures
    spent: Mapping[str, Spent]
    told: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """Returns the row as JSON has it; counts and figures are under "simulation_only"."""
        return {
            "round": self.round,
            "privacy": plain_spent(self.spent),
            "released": dict(self.told),
            "simulation_only": {
                "invited": self.invited,
                "admitted": self.admitted,
                "declined": self.declined,
                "refused": self.refused,
                "missing": self.missing,
                **plain_figures(self.figures),
            },
        }


def plain_spent(spent: Mapping[str, Spent]) -> dict[str, Any] | None:
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
    }


class Audience(Protocol):
    """Whoever watches a run: a terminal, a file, nobody."""

    def started(self, number: int, *, cohort: int) -> None:
        """A round began."""

    def replied(self) -> None:
        """One device of the round is done."""

    def evaluated(self, row: Row) -> None:
        """A released model was judged."""


class Silence:
    """An audience that looks away."""

    def started(self, number: int, *, cohort: int) -> None:
        """Does nothing."""

    def replied(self) -> None:
        """Does nothing."""

    def evaluated(self, row: Row) -> None:
        """Does nothing."""


@dataclass(kw_only=True)
class Recorder:
    """Judges the released models of one run and keeps what came of it.

    Attributes:
        ranker: Holds the released parameters after each round.
        names: The trained parameters, in the order of the vector.
        rows: Every evaluation so far, the public ranker's first.
        round: Rounds released so far.
        embeddings: [lists, photos, d] of the held-out photos, by the ranker's encoder.
    """

    ranker: Ranker
    names: tuple[str, ...]
    held_out: HeldOut
    loss: str
    every: int
    rounds: int
    spending: Mapping[str, Spending]
    audience: Audience
    frozen_encoder: bool
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.embeddings = self.held_out.embeddings(self.ranker.encoder)
        self.round = self._started = 0
        self._invited = self._admitted = self._missing = 0
        self._declined: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._told: Mapping[str, float] = {}

    def begin(self) -> None:
        """Judges the model before the first round."""
        self._evaluate(0)

    def started(self, number: int, *, cohort: int) -> None:
        """Passes on that a round began."""
        self._started = number
        self._invited += cohort
        self.audience.started(number, cohort=cohort)

    def replied(self) -> None:
        """Passes on that one device is done."""
        self.audience.replied()

    def closed(self, outcome: RoundOutcome) -> None:
        """Takes over the round's release, counts it and judges it when it is due.

        Raises:
            ValueError: The release is not finite, or orders no photos; an earlier one stays.
        """
        self._admitted += outcome.admitted
        self._missing += outcome.missing
        self._told = outcome.told
        self._declined.update({str(reason): n for reason, n in outcome.declined.items()})
        self._refused.update({str(reason): n for reason, n in outcome.refused.items()})
        for spending in self.spending.values():
            spending.charge(outcome.participants)
        if not np.isfinite(outcome.parameters).all():
            raise ValueError(
                f"round {outcome.round} diverged: its parameters are not finite; {SLOWER}."
            )
        self.take(outcome.parameters)
        self.round = outcome.round
        if outcome.round % self.every == 0 or outcome.round == self.rounds:
            self._evaluate(outcome.round)

    def finish(self, parameters: Vector) -> None:
        """Takes over and judges the result of a run without rounds."""
        self.take(parameters)
        self.round = self._started = self.rounds
        self._evaluate(self.rounds)

    def stop(self) -> None:
        """Judges what was released last, where a run ends before its time.

        Where that orders no photos it is the release that was judged last. A round that
        had begun is charged to every device: who took part is not known.
        """
        judged = self.rows[-1].round == self.round
        under_way = self._started != self.round
        if not under_way and judged:
            return
        try:
            self._evaluate(self.round)
        except ValueError:
            self._evaluate(self.round)

    def take(self, parameters: Vector) -> None:
        """Makes ``parameters`` the released ones."""
        load_flat(self.ranker, self.names, np.asarray(parameters))

    def _evaluate(self, number: int) -> None:
        if not self.frozen_encoder and number:
            self.embeddings = self.held_out.embeddings(self.ranker.encoder)
        try:
            figures = evaluate(
                self.ranker.list_ranker, self.embeddings, self.held_out, loss=self.loss
            )
        except ValueError as failure:
            self._go_back()
            raise ValueError(
                f"round {number} diverged: {failure} To mend it, {SLOWER}."
            ) from failure
        self._judged = flatten(self.ranker, self.names)
        row = Row(
            round=number,
            invited=self._invited,
            admitted=self._admitted,
            declined=dict(self._declined),
            refused=dict(self._refused),
            missing=self._missing,
            figures=figures,
            spent=self._spent(),
            told=self._told,
        )
        self._invited = self._admitted = self._missing = 0
        self._declined.clear()
        self._refused.clear()
        self.rows.append(row)
        self.audience.evaluated(row)

    def _go_back(self) -> None:
        """Makes the release that was judged last the released one again."""
        if self.rows:
            self.take(self._judged)
            self.round = self.rows[-1].round

    def _spent(self) -> dict[str, Spent]:
        unfinished = self._started - self.round
        return {
            unit: spending.spent(unfinished=unfinished)
            for unit, spending in self.spending.items()
        }
