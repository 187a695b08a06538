"""What a population photographs: the settings that every photo source has."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self

from annotated_types import Ge, Interval, Lt


@dataclass(frozen=True, kw_only=True, slots=True)
class Photos:
    """Where the libraries come from and how each is split; each source adds its own.

    Attributes:
        source: Name of the source.
        devices: Devices that may train; null, where a source allows it, takes all there are.
        held_out_devices: Devices that never train, numbered after the training devices.
        held_out_share: Share of each device's moments kept from training, by keyed hash.
        side: Pixels of a photo's side after resizing.
    """

    source: str
    devices: Annotated[int, Interval(ge=1, le=100_000_000)] | None
    held_out_devices: Annotated[int, Interval(ge=0, le=1_000_000)]
    held_out_share: Annotated[float, Ge(0), Lt(1)]
    side: Annotated[int, Interval(ge=16, le=256)]

    @property
    def made(self) -> bool:
        """Whether libraries follow from settings and seed alone, so that none ever changes."""
        return False

    def flaw(self) -> str:
        """Returns the sentence that refuses these settings, or "" where nothing is wrong."""
        return ""

    def advice(self) -> str:
        """Returns how to give feedback that the source reads, to end a sentence with."""
        return "see docs/photos.md for how feedback is given"

    def identity(self, *, seed: int) -> dict[str, Any]:
        """Returns by full name what says which devices these are.

        Runs that differ in none of it are over one population: a number is the same device.

        Args:
            seed: The run's seed.
        """
        settings = {f"photos.{name}": value for name, value in asdict(self).items()}
        return {**settings, "seed": seed}

    def absolute(self) -> Self:
        """Returns the same settings for a process in another working directory."""
        return self
