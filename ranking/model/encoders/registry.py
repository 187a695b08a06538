"""The photo encoders by their kind: what builds each."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from ranking.encoders import EncoderSettings, External
from ranking.model.encoder import PhotoEncoder
from ranking.model.encoders import module, onnx
from ranking.model.encoders.drawn import DrawnEncoder
from ranking.model.encoders.external import ExternalEncoder, Opener, checked, pinned
from ranking.model.encoders.real import RealEncoder

BUILDERS: Mapping[str, Callable[[Any], PhotoEncoder]] = MappingProxyType(
    {
        "drawn": DrawnEncoder,
        "real": RealEncoder,
        "onnx": partial(ExternalEncoder, opener=onnx.opened),
        "module": partial(ExternalEncoder, opener=module.opened),
    }
)
"""What builds an encoder from the settings of its kind."""


OPENERS: Mapping[str, Opener] = MappingProxyType({"onnx": onnx.opened, "module": module.opened})
"""What finds and tries an encoder that is not ours, by its kind."""


def check_encoder(settings: EncoderSettings) -> None:
    """Refuses an encoder of the user's own that is not there, or not the one it should be.

    Raises:
        ValueError: One sentence that names it.
    """
    if isinstance(settings, External):
        checked(settings, opener=OPENERS[settings.kind])


def known_encoder(settings: EncoderSettings) -> EncoderSettings:
    """Returns settings that say what an encoder is; one of the user's own is asked for it.

    Raises:
        ValueError: It is not there, or no encoder; one sentence.
    """
    if not isinstance(settings, External):
        return settings
    return pinned(settings, opener=OPENERS[settings.kind])


def build_encoder(settings: EncoderSettings) -> PhotoEncoder:
    """Returns the encoder that ``settings`` describe; its parameters are yet to be given."""
    return BUILDERS[settings.kind](settings)
