"""What the ranker is and which of its parts are trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from protocol.choices import OneOf

Trained = Literal["linear", "head", "lora", "all"]
"""Which parameters are trained; ``ranking.model.build`` picks them by their names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """The model's choices.

    Attributes:
        trained: ``linear`` trains one taste vector on the frozen embedding, added to the public
            ranker's score; ``head`` the list-attention block and the head; ``lora`` low-rank
            adapters of the list part and the head's last layer; ``all`` everything from pixels.
        loss: The loss of one moment.
        weights: ``public`` for the ranker that ships with Darkroom, a safetensors file, or null
            for random weights drawn from the seed.
        frozen_digest: Hexadecimal SHA-256 of the part of that file that is not trained: devices
            accept no other. Null where ``weights`` names no file, and until it is read.
        start_norm: L2 norm of its trained part, from which devices bound what they are sent.
    """

    trained: Trained
    loss: Literal[
        "softmax",
        "ranknet",
        "listnet",
        "listmle",
        "approx_ndcg",
        "lambdarank",
        "neural_ndcg",
        "bce",
        "mse",
    ]
    weights: str | None
    frozen_digest: str | None = None
    start_norm: float | None = None


RANKINGS: Mapping[str, type[Ranking]] = MappingProxyType(
    dict.fromkeys(get_args(Trained), Ranking)
)

AnyRanking = Annotated[Ranking, OneOf("trained", RANKINGS)]
"""The section ``ranking``: all choices have the same settings, and a file of ``conf/`` each."""
