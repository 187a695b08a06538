"""The ranker that a run starts from."""

from dataclasses import dataclass
from typing import Self

import torch

from protocol.messages import Vector
from ranking.initial import initial_ranker
from ranking.model.build import frozen_names, trainable_names
from ranking.model.ranker import Ranker
from ranking.parameters import flatten, frozen_digest, load_flat
from ranking.settings import Ranking
from ranking.weights import ENCODER

TRIED = 8
"""Photos of noise by which the server tries a model, for it has no others: a list as long as
many are. Without them scores that overflow are found by devices, after the release."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ServerModel:
    """A ranker, and what of it the wire carries.

    Attributes:
        ranker: The ranker.
        names: Its trained parameters, in the order of ``trainable``.
        trainable: [trainable] their values at the start.
        frozen: [frozen] the values of all other parameters.
        digest: Hexadecimal SHA-256 of the frozen part.
    """

    ranker: Ranker
    names: tuple[str, ...]
    trainable: Vector
    frozen: Vector
    digest: str

    @classmethod
    def initial(cls, ranking: Ranking, *, seed: int) -> Self:
        """Returns the model that a run of this seed starts from."""
        ranker = initial_ranker(ranking, seed=seed)
        names = trainable_names(ranker, ranking.trained)
        others = frozen_names(ranker, ranking.trained)
        frozen = flatten(ranker, others)
        return cls(
            ranker=ranker,
            names=names,
            trainable=flatten(ranker, names),
            frozen=frozen,
            digest=frozen_digest(ranker, others, frozen),
        )

    @property
    def layers(self) -> tuple[int, ...]:
        """Lengths of the trained parameters, in the order of ``trainable``."""
        sizes = {name: one.numel() for name, one in self.ranker.named_parameters()}
        return tuple(sizes[name] for name in self.names)

    def take(self, parameters: Vector) -> None:
        """Gives the ranker ``parameters`` [trainable]."""
        load_flat(self.ranker, self.names, parameters)

    @torch.inference_mode()
    def scores_finitely(self, parameters: Vector, *, side: int) -> bool:
        """Takes ``parameters`` [trainable] and says whether it scores noise by finite numbers.

        Photos of ``side`` pixels are noise where the encoder is trained, and else embeddings
        are, for the encoder may not be at the server.
        """
        self.take(parameters)
        draws = torch.Generator().manual_seed(0)
        if any(name.startswith(ENCODER) for name in self.names):
            photos = torch.rand(1, TRIED, 3, side, side, generator=draws)
            embeddings = self.ranker.encoder(photos)
        else:
            embeddings = torch.randn(1, TRIED, self.ranker.encoder.width, generator=draws)
        scores = self.ranker.list_ranker(embeddings, where=torch.ones(1, TRIED).bool())
        return bool(scores.isfinite().all())
