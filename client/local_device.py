"""What one device works with: its library, its model and its secret draws."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol

import torch

from client import model
from client.consent.own_photos import OwnPhotos, OwnSource
from client.embeddings.device_photos import DevicePhotos, examples_of
from client.embeddings.disk_cache import DiskCache
from client.embeddings.examples import examples
from client.embeddings.lru_cache import LruCache
from client.engine import Examples, Visit
from client.evaluation import evaluate
from client.model import DeviceModel, prove_isolation
from client.sections import DeviceSections
from client.settings import Accelerator, EngineChoice
from client.training.release import protected
from photos.library import Library, Moment
from photos.registry import open_source
from photos.settings import Photos
from photos.source import PhotoSource
from photos.split import held_out_moments, training_moments
from privacy.noise import SecureSource, SeededSource, Source
from protocol.messages import Task, Vector
from protocol.rebuild import SettingError
from ranking.losses.registry import LOSSES
from ranking.settings import Ranking

log = logging.getLogger(__name__)
Frozen = Callable[[], Vector]
MODELS = 4
"""Models that a process keeps between messages, each with its engine. A run needs one. With one
alone, runs that take turns in a process would assemble theirs anew each time."""

BATCH = 384
"""MB that a batch in training takes at most, of any kind."""


def photographs_limit(memory: int) -> int:
    """Returns bytes of photographs' embeddings that a process of ``memory`` MB remembers.

    It is half of what a batch leaves: the moments that train have the other.
    """
    return (memory - BATCH) * 1024**2 // 2


class Split(Protocol):
    """Chooses some of a library's moments."""

    def __call__(
        self, library: Library, *, seed: int, held_out_share: float
    ) -> tuple[Moment, ...]:
        """Returns the chosen moments, in their order."""
        ...


def _bytes(kept: Examples) -> int:
    return kept.inputs.nbytes + kept.gains.nbytes + kept.where.nbytes + kept.numbers.nbytes


_models: LruCache[tuple[Ranking, EngineChoice, Accelerator, str], DeviceModel] = LruCache(
    weigh=lambda _: 1
)
_kept: LruCache[tuple[Photos, int, str, int], Examples] = LruCache(weigh=_bytes)


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalDevice:
    """One device of a run; a process keeps models and embeddings between messages.

    Attributes:
        device: The device's number.
        sections: The run's settings.
    """

    device: int
    sections: DeviceSections

    def digest(self, frozen: Vector) -> str:
        """Returns the digest of a frozen part."""
        return model.digest(frozen, ranking=self.sections.ranking)

    def train(self, task: Task, frozen: Frozen) -> Vector:
        """Trains on the device's training moments and returns the parameters' difference.

        Args:
            task: The task.
            frozen: Gives the frozen part of the task's digest; asked when it is not at hand.

        Raises:
            ValueError: The run is private and the terms are not, or the other way round.
        """
        (delta,) = train_together([self], task, frozen)
        return delta

    def visit(self, task: Task, lent: DeviceModel) -> Visit:
        """Returns the device's turn at ``task``.

        Raises:
            ValueError: The run is private and the terms are not, or the other way round.
        """
        if task.terms.private != self.sections.private:
            raise ValueError("the task's terms are not those of the run.")
        return Visit(examples=self._usable(lent), source=self.source(task))

    def train_on_nothing(self, task: Task, frozen: Frozen) -> Vector:
        """Returns what ``train`` gives for a library without moments: noise alone."""
        with self.model(task.digest, frozen) as lent:
            nothing = lent.kept(examples((), encoder=lent.frozen_encoder))
            visit = Visit(examples=nothing, source=self.source(task))
            (trained,) = lent.engine.train(task.parameters, [visit], terms=task.terms)
        return protected(trained.delta, terms=task.terms, source=self.source(task))

    def evaluate(self, task: Task, frozen: Frozen) -> dict[str, float]:
        """Judges the task's parameters on the device's held-out moments."""
        loss = LOSSES[self.sections.ranking.loss]
        with self.model(task.digest, frozen) as lent:
            lent.take(task.parameters)
            kept = lent.kept(self._examples(lent, held_out_moments))
            return evaluate(lent.ranker, kept, loss=loss, kept=self.sections.ranking.inputs)

    def source(self, task: Task) -> Source:
        """Returns where the visit's secret draws come from; a new attempt draws afresh."""
        if self.sections.private and self.sections.privacy.noise == "secure":
            return SecureSource()
        visit = ("round", task.round, "attempt", task.attempt, "device", self.device)
        return SeededSource(self.sections.seed, *visit)

    def model(self, digest: str, frozen: Frozen) -> AbstractContextManager[DeviceModel]:
        """Lends the model whose frozen part has ``digest``."""
        ranking, engine, on = (
            self.sections.ranking,
            self.sections.engine,
            self.sections.accelerator,
        )
        if self.sections.private:
            # Another number of threads is another course of the same kernels.
            torch.set_num_threads(1)
            prove_isolation(ranking, engine, on=on, side=self.sections.photos.side)
        return _models.lent(
            (ranking, engine, on, digest),
            lambda: DeviceModel.assemble(frozen(), ranking=ranking, engine=engine, on=on),
            limit=MODELS,
        )

    def _usable(self, lent: DeviceModel) -> Examples:
        """The training moments; none of them where a private device cannot read its library.

        Whether it can is the device's own affair: its answer must not say it.
        """
        try:
            return self._training(lent)
        except Exception as failure:
            if not self.sections.private:
                raise
            # What is wrong with a setting is said for its owner; any other text may say more.
            named = isinstance(failure, SettingError)
            said = str(failure) if named else type(failure).__name__
            log.warning("a library cannot be used (%s): noise alone", said)
            return lent.kept(examples((), encoder=lent.frozen_encoder))

    def _training(self, lent: DeviceModel) -> Examples:
        key = (self.sections.photos, self.sections.seed, lent.made_by, self.device)
        return _kept.get(key, lambda: lent.kept(self._embedded(lent)), limit=self._limit)

    @property
    def _limit(self) -> int:
        """Bytes of what is remembered of libraries; photographs' embeddings have as many."""
        if not self.sections.photos.made:
            return photographs_limit(self.sections.memory)
        return (self.sections.memory - BATCH) * 1024**2

    def _embedded(self, lent: DeviceModel) -> Examples:
        photos, folder = self.sections.photos, self.sections.cache
        if folder is None or lent.frozen_encoder is None or not photos.made:
            return self._examples(lent, training_moments)
        cache = DiskCache(
            Path(folder), photos=photos, seed=self.sections.seed, encoder=lent.encoder
        )
        return cache.get(self.device, lambda: self._examples(lent, training_moments))

    def _examples(self, lent: DeviceModel, split: Split) -> Examples:
        photos, seed = self.sections.photos, self.sections.seed
        return examples_of(
            _source(photos, seed),
            self.device,
            partial(split, seed=seed, held_out_share=photos.held_out_share),
            encoder=lent.frozen_encoder,
            own=self._photographs(lent),
        )

    def _photographs(self, lent: DeviceModel) -> DevicePhotos | None:
        """What reads photographs for a frozen encoder; None for pixels, and for made photos."""
        if lent.frozen_encoder is None or self.sections.photos.made:
            return None
        return DevicePhotos(
            encoder=lent.frozen_encoder,
            digest=lent.encoder,
            photos=self.sections.photos,
            seed=self.sections.seed,
            cache=self.sections.cache,
            limit=self._limit,
        )


def train_together(
    devices: Sequence[LocalDevice], task: Task, frozen: Frozen
) -> Iterator[Vector]:
    """Yields each device's protected difference of the parameters, in order.

    Args:
        devices: Devices of one run, at least one.
        task: The task that all of them were given.
        frozen: Same as ``LocalDevice.train``.

    Raises:
        ValueError: Same as ``LocalDevice.visit``.
    """
    with devices[0].model(task.digest, frozen) as lent:
        visits = (device.visit(task, lent) for device in devices)
        trained = lent.engine.train(task.parameters, visits, terms=task.terms)
        for device, one in zip(devices, trained, strict=True):
            yield protected(one.delta, terms=task.terms, source=device.source(task))


@lru_cache(maxsize=2)
def _source(photos: Photos, seed: int) -> PhotoSource:
    return (
        OwnSource(photos) if isinstance(photos, OwnPhotos) else open_source(photos, seed=seed)
    )
