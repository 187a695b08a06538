"""The kinds of photo encoders: their settings, without the modules that they describe."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from annotated_types import Interval

from protocol.choices import OneOf
from ranking.sizes import Depth, Heads, heads_flaw

STEP = 32
"""A drawn encoder's width is a multiple of it: a quarter and a half of it are the stem's
channels, which are normalised in groups."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderSettings:
    """What turns a photo into an embedding.

    Attributes:
        kind: Which encoder: the name of the file in ``ranking.model.encoders`` that builds it.
        trainable: Whether ``ranking=all`` may train it.
    """

    kind: Literal["drawn"]
    trainable: ClassVar[bool] = False

    def flaw(self) -> str:
        """Returns what is wrong with the settings, in one sentence, or ""."""
        return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn(EncoderSettings):
    """Convolutions and a transformer, pre-trained on drawn photos.

    Attributes:
        width: Numbers of an embedding, and of a place between its layers; a multiple of 32.
        depth: Transformer blocks.
        heads: Attention heads; they divide the width.
    """

    kind: Literal["drawn"] = "drawn"
    trainable: ClassVar[bool] = True
    width: Annotated[int, Interval(ge=32, le=1_024)]
    depth: Depth
    heads: Heads

    def flaw(self) -> str:
        """Returns what is wrong with the settings, in one sentence, or ""."""
        if self.width % STEP:
            return f"ranking.encoder.width={self.width} is no multiple of {STEP}; take one."
        return heads_flaw("ranking.encoder", self.width, self.heads)


ENCODERS: Mapping[str, type[EncoderSettings]] = MappingProxyType({"drawn": Drawn})
"""The settings of each kind, by its name."""

AnyEncoder = Annotated[EncoderSettings, OneOf("kind", ENCODERS)]
"""The section ``ranking.encoder``: one of them, by its kind."""
