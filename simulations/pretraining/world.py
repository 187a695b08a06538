"""The public worlds that list models are trained on: drawings, and pictures."""

from collections.abc import Callable
from dataclasses import dataclass

from photos.sample import public_moments as pictured
from photos.synthetic.attributes import NAMES, SCENES
from ranking.encoders import FOR_DRAWINGS, EncoderSettings
from simulations.configuration.list_sizes import Known
from simulations.pretraining.context_functions import known
from simulations.pretraining.moments.drawn_moments import embedded_drawings
from simulations.pretraining.moments.embedded_moments import EmbeddedMoments
from simulations.pretraining.moments.pictured_moments import embedded_pictures


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Public moments without end.

    Attributes:
        names: What is known of a photo by itself.
        scenes: Kinds of moments.
        photos: What a model's file says that it was trained on.
        embedded: Gives the moments of some public devices as an encoder sees them, by the
            encoder, the photos' side, a seed and the devices' numbers.
        devices: How many devices a list model is trained on.
    """

    names: tuple[str, ...]
    scenes: int
    photos: str
    embedded: Callable[..., EmbeddedMoments]
    devices: int


DRAWN = World(
    names=NAMES, scenes=SCENES, photos="synthetic", embedded=embedded_drawings, devices=1_500
)
PICTURED = World(
    names=pictured.NAMES, scenes=1, photos="sample", embedded=embedded_pictures, devices=250
)


def world_of(encoder: type[EncoderSettings]) -> World:
    """Returns the world whose photos encoders of this kind are made for."""
    return DRAWN if encoder.public == FOR_DRAWINGS else PICTURED


def sizes_of_world(encoder: type[EncoderSettings], _weights: str | None) -> Known:
    """Returns the sizes of a list model that reads all that the tastes of the world know."""
    world = world_of(encoder)
    own = len(world.names)
    return Known(
        of="the public photos",
        sizes={"own": own, "context": known(own)[-1], "scenes": world.scenes},
    )
