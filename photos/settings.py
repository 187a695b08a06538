"""What a population photographs: the settings of every photo source."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Interval, Lt


@dataclass(frozen=True, kw_only=True, slots=True)
class Photos:
    """Where the libraries come from and how each is split.

    Attributes:
        source: ``synthetic`` renders the procedural population; ``folder`` reads photographs.
        root: Folder of device folders, for ``folder`` only.
        devices: Devices that may train; null takes every folder that is not held out.
        held_out_devices: Devices that never train, numbered after the training devices.
        held_out_share: Share of each device's moments kept from training, by keyed hash.
        side: Pixels of a photo's side after resizing.
        taste: Which private taste: 0 is the one that results are about; every other number is
            another of the same kind, to choose settings on.
        taste_cosine: Cosine between the public and the private population's taste, before
            any flips.
        taste_flips: Attribute signs, over all scenes, that the private taste turns round.
        context_preference: Weight of the private preference for photos unlike their moment's
            others; the public split has none.
    """

    source: Literal["synthetic", "folder"]
    root: str | None
    devices: Annotated[int, Interval(ge=1, le=100_000_000)] | None
    held_out_devices: Annotated[int, Interval(ge=0, le=1_000_000)]
    held_out_share: Annotated[float, Ge(0), Lt(1)]
    side: Annotated[int, Interval(ge=16, le=256)]
    taste: Annotated[int, Interval(ge=0, le=1_000_000)]
    taste_cosine: Annotated[float, Interval(ge=-1, le=1)]
    taste_flips: Annotated[int, Interval(ge=0, le=80)]
    context_preference: Annotated[float, Interval(ge=0, le=10)]
