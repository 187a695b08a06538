"""Keeps a run's rounds, each before anything of it is judged, shown or trained on."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, Protocol

from privacy.ledger.chain import Head
from protocol.messages import Vector
from server.rounds.state import ServerState
from simulations.runs.checkpoints.checkpoint import Checkpoint, Counts
from simulations.runs.checkpoints.checkpoint_folder import CheckpointFolder, StorageError

Figures = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReleasedModel:
    """A model that the server released.

    Attributes:
        round: Rounds until then.
        parameters: [trainable].
    """

    round: int
    parameters: Vector


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Progress:
    """What a recorder goes on from.

    Attributes:
        counts: Since the last evaluation.
        rows: Evaluations so far, those of a run that went on too.
        judged: The model that was judged last.
    """

    counts: Counts
    rows: int
    judged: ReleasedModel


class Keeper(Protocol):
    """Keeps what a run goes on from."""

    def keep(self, state: Callable[[], ServerState], progress: Progress) -> None:
        """Keeps a round, durable when this returns, where that is due."""

    def judged(self, held_out: Figures, *, released: Mapping[str, float]) -> None:
        """Learns how the model of the last round was judged."""

    def stop(self) -> None:
        """Keeps the last round of a run that ends, due or not."""


class Forgets:
    """Keeps nothing."""

    def keep(self, state: Callable[[], ServerState], progress: Progress) -> None:
        """Does nothing."""

    def judged(self, held_out: Figures, *, released: Mapping[str, float]) -> None:
        """Does nothing."""

    def stop(self) -> None:
        """Does nothing."""


class CheckpointKeeper:
    """Writes checkpoints as the run goes on.

    A round of correlated noise is always kept: it must never be drawn anew once its release
    was seen, so its noise is on disk before that is.
    """

    def __init__(
        self,
        folder: CheckpointFolder,
        *,
        config: Mapping[str, Any],
        every: int,
        last: int,
        best: str | None,
        heads: Callable[[], Mapping[str, Head]],
    ) -> None:
        """Begins.

        Args:
            folder: Where to.
            config: What runs, in plain data.
            every: Rounds from one checkpoint to the next.
            last: The last round, which is kept.
            best: Figure by which the best is chosen; None to keep none.
            heads: Where the devices' ledgers end now, by unit.
        """
        self._folder = folder
        self._config = config
        self._every = every
        self._last = last
        self._best = best
        self._heads = heads
        self._now: Checkpoint | None = None
        self._saved: int | None = None
        former = folder.best() if best is not None else None
        self._most = None if former is None else former.figure

    def keep(self, state: Callable[[], ServerState], progress: Progress) -> None:
        """Writes a checkpoint where that is due.

        Raises:
            StorageError: The disk does not take it: nothing of the round may leave.
        """
        self._now = self._checkpoint(state(), progress)
        now = self._now.server
        due = now.round % self._every == 0 or now.round == self._last
        if due or not now.repeatable:
            self._save()

    def stop(self) -> None:
        """Writes the last round, where it is not: a disk that does not take it has said so."""
        if self._now is not None and self._saved != self._now.server.round:
            with suppress(StorageError):
                self._save()

    def judged(self, held_out: Figures, *, released: Mapping[str, float]) -> None:
        """Writes the checkpoint of a model that was judged better than all before."""
        if self._best is None or self._now is None:
            return
        figure = {**held_out(), **released}.get(self._best)
        if figure is not None and (self._most is None or figure > self._most):
            self._most = float(figure)
            self._folder.save_best(replace(self._now, figure=self._most))

    def _save(self) -> None:
        if self._now is not None:
            self._folder.save(self._now)
            self._saved = self._now.server.round

    def _checkpoint(self, state: ServerState, progress: Progress) -> Checkpoint:
        central = {} if state.ledger is None else {"device": state.ledger}
        return Checkpoint(
            server=state,
            heads={**self._heads(), **central},
            counts=progress.counts,
            rows=progress.rows,
            judged_round=progress.judged.round,
            judged=progress.judged.parameters,
            config=self._config,
            code=version("darkroom"),
        )
