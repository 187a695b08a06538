"""The sizes of list models; settings, without the modules that they describe."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

from annotated_types import Interval

from protocol.choices import OneOf

Width = Annotated[int, Interval(ge=1, le=1_024)]
Depth = Annotated[int, Interval(ge=0, le=24)]
Heads = Annotated[int, Interval(ge=1, le=64)]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListSizes:
    """What a list model tells of the photos of a moment.

    Attributes:
        kind: Which list model.
        own: Features that a photo has by itself.
        scenes: Kinds of moments that are told apart.
    """

    kind: Literal["transformer", "probes"]
    own: Annotated[int, Interval(ge=1, le=1_024)]
    scenes: Annotated[int, Interval(ge=1, le=1_024)]

    @property
    def relative(self) -> int:
        """Features that a photo has among the others of its moment."""
        raise NotImplementedError

    @property
    def features(self) -> int:
        """Features of a photo."""
        return self.own + self.relative

    def flaw(self) -> str:
        """Returns what is wrong with the sizes, in one sentence, or ""."""
        return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListTransformer(ListSizes):
    """A transformer over the photos of a moment.

    Attributes:
        width: Numbers of a photo between its layers.
        depth: Blocks.
        heads: Attention heads; they divide the width.
        hidden: Numbers of the layer from which features are read.
        context: Features that a photo has among the others of its moment.
        attend: Whether a photo attends to the others.
    """

    width: Width
    depth: Depth
    heads: Heads
    hidden: Width
    context: Annotated[int, Interval(ge=0, le=1_024)]
    attend: bool

    @property
    def relative(self) -> int:
        """Same as ``context``."""
        return self.context

    def flaw(self) -> str:
        """Returns what is wrong with the sizes, in one sentence, or ""."""
        return heads_flaw("ranking.list", self.width, self.heads)


@dataclass(frozen=True, kw_only=True, slots=True)
class Probes(ListSizes):
    """Linear read-outs of each photo, and how far it is from its moment's mean."""

    @property
    def relative(self) -> int:
        """One: the distance."""
        return 1


LISTS: Mapping[str, type[ListSizes]] = MappingProxyType(
    {"transformer": ListTransformer, "probes": Probes}
)

AnyList = Annotated[ListSizes, OneOf("kind", LISTS)]
"""The section ``ranking.list``: one of them, by its kind."""


def heads_flaw(at: str, width: int, heads: int) -> str:
    """Returns the sentence on heads that do not divide the width of section ``at``, or ""."""
    if width % heads == 0:
        return ""
    return f"{at}.heads={heads} does not divide {at}.width={width}; change one of them."
