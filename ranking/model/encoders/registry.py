"""The photo encoders by their kind: what builds each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ranking.encoders import EncoderSettings
from ranking.model.encoder import PhotoEncoder
from ranking.model.encoders.drawn import DrawnEncoder

BUILDERS: Mapping[str, Callable[[Any], PhotoEncoder]] = MappingProxyType(
    {"drawn": DrawnEncoder}
)
"""What builds an encoder from the settings of its kind."""


def build_encoder(settings: EncoderSettings) -> PhotoEncoder:
    """Returns the encoder that ``settings`` describe; its parameters are yet to be given."""
    return BUILDERS[settings.kind](settings)
