"""The course of one run: begun or gone on with, kept round by round."""

from dataclasses import dataclass
from typing import Any

from photos.source import PhotoSource
from privacy.protection.derivation import Protection
from protocol.messages import Vector
from protocol.rebuild import to_plain
from simulations.configuration.settings import Config
from simulations.evaluation.figures import Figures
from simulations.federation.device_ledgers import DeviceLedgers, device_ledgers
from simulations.federation.federation import GoesOn, federate
from simulations.runs import baselines
from simulations.runs.checkpoints.checkpoint_folder import CheckpointFolder
from simulations.runs.checkpoints.keeper import CheckpointKeeper
from simulations.runs.earlier.earlier_runs import EarlierRuns
from simulations.runs.recorder import Audience, MetricsRow, Recorder
from simulations.runs.resuming.resumption import Resumed
from simulations.runs.run_folder import RunFolder
from simulations.runs.run_log import Logged, RunLog


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Course:
    """A run under way.

    Attributes:
        config: What runs.
        protection: What protects it.
        source: The libraries.
        folder: Where its files go.
        recorder: Follows it.
        log: Is told of every round.
        earlier: What the start weights have cost the devices before.
        resumed: Where it goes on; None for one that begins.
    """

    config: Config
    protection: Protection
    source: PhotoSource
    folder: RunFolder
    recorder: Recorder
    log: RunLog
    earlier: EarlierRuns
    resumed: Resumed | None

    def trained(self) -> tuple[Vector, Figures]:
        """The model that came of it, and the figures of the run."""
        config, recorder = self.config, self.recorder
        if config.simulation.algorithm == "federated":
            released = self._federated()
            return released, recorder.rows[-1].figures
        recorder.begin()
        if config.simulation.algorithm == "local_only":
            judge = recorder.judge
            return baselines.local_only(config, self.source, self.protection, judge=judge)
        released = baselines.centralised(
            config, self.source, self.protection, judge=recorder.judge
        )
        recorder.finish(released)
        return released, recorder.rows[-1].figures

    def _federated(self) -> Vector:
        config, protection, resumed = self.config, self.protection, self.resumed
        ledger = self.folder.begin_ledgers() if protection.units else None
        kept = None if resumed is None else resumed.heads
        noise = config.privacy.noise
        with device_ledgers(protection, ledger, noise=noise, kept=kept) as ledgers:
            self.recorder.keeper = self._keeper(ledgers)
            self._begin()
            return federate(
                config,
                self.source.devices,
                observer=Logged(log=self.log, observer=self.recorder),
                ledger=ledger,
                ledgers=ledgers,
                goes_on=None
                if resumed is None
                else GoesOn(resumption=resumed.server, visits=resumed.visits),
            )

    def _begin(self) -> None:
        resumed, recorder = self.resumed, self.recorder
        if resumed is None or resumed.checkpoint is None:
            recorder.begin()
            return
        for sentence in resumed.sentences:
            recorder.audience.told(sentence)
        recorder.settle(resumed.spent)
        recorder.resume(resumed.checkpoint)

    def _keeper(self, ledgers: DeviceLedgers) -> CheckpointKeeper:
        asked = self.config.checkpoint
        return CheckpointKeeper(
            CheckpointFolder(self.folder.checkpoints),
            config=to_plain(self.config),
            every=asked.every,
            last=self.recorder.rounds,
            best=asked.best,
            heads=lambda: ledgers.heads,
        )


@dataclass(frozen=True, slots=True)
class Written:
    """An audience behind which each evaluation is written down before it is shown."""

    audience: Audience
    folder: RunFolder
    log: RunLog

    def started(self, number: int, *, cohort: int) -> None:
        """Passes on that a round began."""
        self.audience.started(number, cohort=cohort)

    def replied(self) -> None:
        """Passes on that one device is done."""
        self.audience.replied()

    def evaluated(self, row: MetricsRow) -> None:
        """Appends the row, and then passes it on."""
        plain: dict[str, Any] = row.plain() | {"machine": self.log.since_last_row()}
        self.folder.append_metrics(plain)
        self.audience.evaluated(row)

    def told(self, sentence: str) -> None:
        """Passes a sentence on."""
        self.audience.told(sentence)
