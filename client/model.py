"""The ranker of a run as a device holds it: a frozen part that came once, and an engine."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import torch
from torch import nn

from client.accelerator import accelerator
from client.embeddings.readings import read
from client.engine import Engine, Examples
from client.settings import Accelerator, EngineChoice
from client.training.bookkeeping import Bookkeeping
from client.training.cohort_engine import CohortEngine
from client.training.gradients import OfMoments
from client.training.isolation_check import (
    check_embeddings,
    check_isolation,
    check_readings,
)
from client.training.vmapped import Vmapped
from protocol.messages import Vector
from protocol.rebuild import to_plain
from ranking.model.build import build_ranker, frozen_names, trainable_names
from ranking.model.encoder import PhotoEncoder
from ranking.model.ranker import Ranker
from ranking.parameters import flatten, frozen_digest, load_flat, module_digest
from ranking.settings import Ranking


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DeviceModel:
    """A ranker whose frozen part is in place.

    Attributes:
        ranker: The ranker; its trained part is whatever was trained or judged last.
        ranking: Its settings.
        engine: Trains it.
        encoder: Digest of its encoder and that one's settings: equal ones embed alike.
        reader: Digest of its list model and that one's settings: equal ones read alike.
    """

    ranker: Ranker
    ranking: Ranking
    engine: Engine
    encoder: str
    reader: str

    @classmethod
    def assemble(
        cls,
        frozen: Vector,
        *,
        ranking: Ranking,
        engine: EngineChoice,
        on: Accelerator = "cpu",
    ) -> Self:
        """Returns the model with the frozen part that the server sent.

        Raises:
            ValueError: ``frozen`` is of another length, or the accelerator is not there.
        """
        ranker = _blank(ranking).to(accelerator(on))
        load_flat(ranker, frozen_names(ranker, ranking.trained), frozen)
        return cls(
            ranker=ranker,
            ranking=ranking,
            engine=build_engine(ranker, ranking, engine),
            encoder=encoder_digest(ranker.encoder),
            reader=_made_by(ranker.list_ranker.reader, to_plain(ranking.list), ranking.context),
        )

    @property
    def frozen_encoder(self) -> PhotoEncoder | None:
        """The encoder, or None where it is trained too."""
        return None if self.ranking.inputs == "pixels" else self.ranker.encoder

    @property
    def made_by(self) -> str:
        """What ``kept`` depends on beside the photos, "" for nothing."""
        by = {"pixels": "", "embeddings": self.encoder, "readings": self.encoder + self.reader}
        return by[self.ranking.inputs]

    def kept(self, examples: Examples) -> Examples:
        """Returns what a device keeps of ``examples``, which ``frozen_encoder`` made."""
        if self.ranking.inputs != "readings":
            return examples
        return read(self.ranker.list_ranker, examples)

    def take(self, parameters: Vector) -> None:
        """Gives the ranker ``parameters`` [trainable]."""
        load_flat(self.ranker, trainable_names(self.ranker, self.ranking.trained), parameters)


def encoder_digest(encoder: PhotoEncoder) -> str:
    """Returns the digest of an encoder, by its settings and its weights.

    Equal ones embed alike; weights alone do not say so: heads of attention change no shape.
    """
    return _made_by(encoder, to_plain(encoder.settings.portable()))


def _made_by(module: nn.Module, *facts: object) -> str:
    """The hexadecimal SHA-256 of a module's weights and of what they do not say."""
    said = json.dumps([*facts, module_digest(module)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def digest(frozen: Vector, *, ranking: Ranking) -> str:
    """Returns the digest of a frozen part, of any length."""
    template = _template(ranking)
    return frozen_digest(template, frozen_names(template, ranking.trained), frozen)


def build_engine(ranker: Ranker, ranking: Ranking, choice: EngineChoice) -> Engine:
    """Returns the engine that trains ``ranker``, whose frozen part is in place.

    Args:
        ranker: Taken over: the engine may change it.
        ranking: What is trained, by which loss.
        choice: Which engine.
    """
    return _gradients(ranker, ranking, choice)[1]


@lru_cache(maxsize=8)
def prove_isolation(
    ranking: Ranking, choice: EngineChoice, *, on: Accelerator, side: int
) -> None:
    """Tries once in a process that a moment keeps its bits in any batch of an engine.

    Args:
        ranking: What is trained, by which loss.
        choice: The engine.
        on: Where it computes.
        side: Pixels of a photo's side.

    Raises:
        NotIsolatedError: A moment does not keep its bits on this machine.
        ValueError: The accelerator is not there.
    """
    ranker = _stirred(ranking).to(accelerator(on))
    size = len(flatten(ranker, trainable_names(ranker, ranking.trained)))
    gradients, _ = _gradients(ranker, ranking, choice)
    photo = kept_shape(ranker, ranking, side=side)
    check_isolation(gradients, engine=choice.name, size=size, photo=photo)
    if ranking.inputs != "pixels":
        check_embeddings(ranker.encoder, side=side)
    if ranking.inputs == "readings":
        check_readings(ranker.list_ranker, width=ranker.encoder.width)


def kept_shape(ranker: Ranker, ranking: Ranking, *, side: int) -> tuple[int, ...]:
    """Returns the shape of what a device keeps of a photo of ``side`` pixels."""
    match ranking.inputs:
        case "pixels":
            return (3, side, side)
        case "embeddings":
            return (ranker.encoder.width,)
        case "readings":
            return (ranker.list_ranker.readings,)


def _gradients(
    ranker: Ranker, ranking: Ranking, choice: EngineChoice
) -> tuple[OfMoments, Engine]:
    """What computes the gradients, and the engine that trains with them."""
    match choice.name:
        case "vmap":
            vmapped = Vmapped(ranker, ranking)
            return vmapped, CohortEngine(vmapped)
        case "opacus":
            from client.training.opacus_engine import OpacusEngine

            opacus = OpacusEngine(ranker, ranking)
            return opacus, opacus
        case "bookkeeping" | "alone":
            book = Bookkeeping(ranker, ranking, alone=choice.name == "alone")
            return book, CohortEngine(book)


@lru_cache(maxsize=4)
def _template(ranking: Ranking) -> Ranker:
    """A ranker that only names and shapes are read from."""
    return _blank(ranking)


def _stirred(ranking: Ranking) -> Ranker:
    """A ranker whose every part counts: a frozen weight of zero would hide what it weighs."""
    ranker, draws = _blank(ranking), torch.Generator().manual_seed(0)
    for weights in (ranker.list_ranker.taste, ranker.list_ranker.scene_token):
        nn.init.normal_(weights.weight, generator=draws)
    return ranker


def _blank(ranking: Ranking) -> Ranker:
    """A ranker whose every parameter is about to be overwritten."""
    return build_ranker(ranking, generator=torch.Generator().manual_seed(0))
