"""The ranker of a run as a device holds it: a frozen part that came once, and an engine."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import torch

from client.accelerator import accelerator
from client.engine import Engine
from client.settings import Accelerator, EngineChoice
from client.training.bookkeeping import Bookkeeping
from client.training.cohort_engine import CohortEngine
from client.training.gradients import OfMoments
from client.training.isolation_check import check_embeddings, check_isolation
from client.training.vmapped import Vmapped
from protocol.messages import Vector
from ranking.model.build import build_ranker, frozen_names, trainable_names
from ranking.model.encoder import EMBEDDING, PhotoEncoder
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
        encoder: Digest of its encoder, the frozen one: equal encoders embed alike.
    """

    ranker: Ranker
    ranking: Ranking
    engine: Engine
    encoder: str

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
            encoder=module_digest(ranker.encoder),
        )

    @property
    def frozen_encoder(self) -> PhotoEncoder | None:
        """The encoder, or None where it is trained too."""
        return None if self.ranking.trained == "all" else self.ranker.encoder

    def take(self, parameters: Vector) -> None:
        """Gives the ranker ``parameters`` [trainable]."""
        load_flat(self.ranker, trainable_names(self.ranker, self.ranking.trained), parameters)


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
    ranker = _blank(ranking).to(accelerator(on))
    size = len(flatten(ranker, trainable_names(ranker, ranking.trained)))
    photo = (3, side, side) if ranking.trained == "all" else (EMBEDDING,)
    gradients, _ = _gradients(ranker, ranking, choice)
    check_isolation(gradients, engine=choice.name, size=size, photo=photo)
    if ranking.trained != "all":
        check_embeddings(ranker.encoder, side=side)


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


def _blank(ranking: Ranking) -> Ranker:
    """A ranker whose every parameter is about to be overwritten."""
    return build_ranker(ranking.trained, generator=torch.Generator().manual_seed(0))
