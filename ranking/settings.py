"""What the ranker is and which of its parts are trained."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

from annotated_types import Interval

from protocol.choices import OneOf
from ranking.encoders import AnyEncoder
from ranking.sizes import AnyList

Trained = Literal["taste", "taste_scenes", "linear", "head", "lora", "all"]
"""Which parameters are trained; ``ranking.model.build`` picks them by their names."""

Inputs = Literal["pixels", "embeddings", "readings"]
"""What a device keeps of its photos: what comes out of the part that it does not train."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """The model's choices.

    Attributes:
        trained: ``taste`` trains a weight for each feature that the list model gives a photo;
            ``taste_scenes`` also one for each of the photo's own features in each scene;
            ``linear`` one for each number of the embedding, added to the public score;
            ``head`` the list model itself; ``lora`` low-rank adapters of it; ``all`` the list
            model and the encoder, from pixels.
        encoder: The photo encoder.
        list: Sizes of the list model.
        context: Whether features count that a photo has among the others of its moment.
        loss: The loss of one moment.
        weights: ``public`` for the ranker that ships with Darkroom, a safetensors file, or null
            for random weights drawn from the seed.
        frozen_digest: Hexadecimal SHA-256 of the part of that file that is not trained: devices
            accept no other. Null where ``weights`` names no file, and until it is read.
        start_norm: L2 norm of its trained part, from which devices bound what they are sent.
    """

    trained: Trained
    encoder: AnyEncoder
    list: AnyList
    context: bool
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

    @property
    def inputs(self) -> Inputs:
        """What a device keeps of its photos."""
        match self.trained:
            case "all":
                return "pixels"
            case "head" | "lora":
                return "embeddings"
            case _:
                return "readings"

    def flaw(self) -> str:
        """Returns what is wrong with the parts, in one sentence, or ""."""
        if self.inputs == "pixels" and not self.encoder.trainable:
            return (
                f"ranking={self.trained} trains the encoder, and ranking/encoder="
                f"{self.encoder.kind} stays as it is; take ranking=head, or an encoder of ours "
                "as ranking/encoder=drawn."
            )
        return self.encoder.flaw() or self.list.flaw()

    def unweighted(self) -> Self:
        """Returns the same, starting from random weights."""
        return replace(self.portable(), weights=None, frozen_digest=None, start_norm=None)

    def of_device(self, file: Path | None) -> Self:
        """Returns the same with the encoder's file that is named here; None for none.

        Raises:
            ValueError: The encoder is a file, and none is named.
        """
        return replace(self, encoder=self.encoder.of_device(file))

    def portable(self) -> Self:
        """Returns the same without what only this machine knows of its encoder."""
        return replace(self, encoder=self.encoder.portable())


@dataclass(frozen=True, kw_only=True, slots=True)
class Lora(Ranking):
    """Low-rank adapters of the list model.

    Attributes:
        rank: Rank of each adapter.
    """

    rank: Annotated[int, Interval(ge=1, le=256)]


RANKINGS: Mapping[str, type[Ranking]] = MappingProxyType(
    {
        "taste": Ranking,
        "taste_scenes": Ranking,
        "linear": Ranking,
        "head": Ranking,
        "lora": Lora,
        "all": Ranking,
    }
)

AnyRanking = Annotated[Ranking, OneOf("trained", RANKINGS)]
"""The section ``ranking``: one of them, by what is trained."""
