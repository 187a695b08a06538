"""The root of the configuration: what one run is."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from client.settings import Accelerator, EngineChoice, Memory
from photos.registry import SETTINGS
from photos.settings import Photos
from privacy.protection.derivation import Protection
from privacy.protection.settings import Privacy
from protocol.choices import OneOf
from protocol.settings import Training
from ranking.settings import AnyRanking
from server.settings import Server
from simulations.configuration.study_settings import Seed, Study


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """How the researcher's machine runs the population.

    Attributes:
        engine: What trains the devices.
        algorithm: ``federated``, or a baseline: ``local_only`` trains each device alone,
            ``centralised`` gathers all moments in one place.
        evaluate_every: Rounds between evaluations; the last round is always evaluated.
        reference: Whether the run is repeated without privacy, as an anchor.
        personal: Whether each held-out device also fits what was trained to its own moments.
        workers: Processes that train devices; the result is the same for any number.
        address: A running Ray cluster that lends them, ``auto`` or ``ray://host:port``; null
            starts them on this machine.
        accelerator: Where their arithmetic runs: ``cpu``, ``cuda``, ``mps``, or ``auto``, the
            first of the others that is there.
        memory: MB of each process's working set: a batch in training, and embeddings kept.
        cache: Folder that keeps the embeddings of photos from run to run; null for none.
        strict: Whether every message goes through Flower's wire format and back.
        dropout: Share of devices whose reply never arrives.
        latency: Median seconds of a device's reply on a virtual clock; later ones than
            ``server.timeout`` are lost.
        runs: Folder of the run folders.
    """

    engine: EngineChoice
    algorithm: Literal["federated", "local_only", "centralised"]
    evaluate_every: Annotated[int, Interval(ge=1, le=1_000_000)]
    reference: bool
    personal: bool
    workers: Annotated[int, Interval(ge=1, le=256)]
    address: str | None
    accelerator: Accelerator
    memory: Memory
    cache: str | None
    strict: bool
    dropout: Annotated[float, Interval(ge=0, le=1)]
    latency: Annotated[float, Interval(ge=0, le=1e6)]
    runs: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoints:
    """What a run keeps to go on from after any end: the last checkpoint and the one before.

    Attributes:
        every: Rounds from one checkpoint to the next. The last round is always kept, and so is
            every round of correlated noise.
        best: The figure by which the best model is kept too, the larger the better: one of
            ``metrics.jsonl`` where nothing is protected, else one that is released. Null for
            none.
    """

    every: Annotated[int, Interval(ge=1, le=1_000_000)]
    best: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """One run, or one study."""

    name: str
    seed: Seed
    photos: Annotated[Photos, OneOf("source", SETTINGS)]
    ranking: AnyRanking
    training: Training
    server: Server
    privacy: Privacy
    simulation: Simulation
    checkpoint: Checkpoints
    study: Study

    def protection(self, *, devices: int) -> Protection:
        """Returns what protects the run: derive it once, and pass it on.

        Args:
            devices: Devices in the population.

        Raises:
            ValueError: A promise cannot be met; one sentence with the way out.
        """
        run = self.server.federation(devices)
        return Protection.of(self.privacy, visit=self.training, run=run)
