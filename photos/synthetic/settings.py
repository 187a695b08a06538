"""The settings of the procedural population: how many devices, and what their owners like."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Interval

from photos.settings import Photos

LIKED = ("taste", "taste_cosine", "taste_flips", "context_preference")
"""What a device's library follows from besides the seed, but for the size of its photos."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SyntheticPhotos(Photos):
    """A made population whose tastes are known.

    Attributes:
        taste: Which private taste: 0 is the one that results are about; every other number is
            another of the same kind, to choose settings on.
        taste_cosine: Cosine between the public and the private population's taste, before
            any flips.
        taste_flips: Attribute signs, over all scenes, that the private taste turns round.
        context_preference: Weight of the private preference for photos unlike their moment's
            others; the public split has none.
    """

    source: Literal["synthetic"] = "synthetic"
    devices: Annotated[int, Interval(ge=1, le=100_000_000)]
    taste: Annotated[int, Interval(ge=0, le=1_000_000)]
    taste_cosine: Annotated[float, Interval(ge=-1, le=1)]
    taste_flips: Annotated[int, Interval(ge=0, le=80)]
    context_preference: Annotated[float, Interval(ge=0, le=10)]

    @property
    def made(self) -> bool:
        """True: a device is a function of these settings, the seed and its number."""
        return True

    def identity(self, *, seed: int) -> dict[str, Any]:
        """Returns source, tastes and seed: how many devices there are changes none of them."""
        liked = {f"photos.{name}": getattr(self, name) for name in LIKED}
        return {"photos.source": self.source, **liked, "seed": seed}
