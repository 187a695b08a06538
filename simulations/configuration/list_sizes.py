"""Sizes of the list model that are left open: what its photos are known by says them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.rebuild import SettingError
from ranking.encoders import ENCODERS, EncoderSettings
from ranking.header import list_sizes


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Sizes that follow from another choice.

    Attributes:
        of: Whose they are, as a refusal names it.
        sizes: By their names.
    """

    of: str
    sizes: Mapping[str, Any]


Source = Callable[[type[EncoderSettings], str | None], Known]
"""Tells sizes by the settings of the encoder's kind, and by ``ranking.weights``."""


def of_weights(encoder: type[EncoderSettings], weights: str | None) -> Known:
    """Returns the sizes of the weights that a run starts from.

    Random ones get those of the public ranker. So does a file that is missing or damaged: it is
    refused where it is opened.

    Raises:
        SettingError: The public ranker's file is missing or damaged.
    """
    if weights not in (None, "public"):
        with suppress(ValueError):
            return Known(of=weights, sizes=list_sizes(Path(weights)))
    try:
        return Known(of=str(encoder.public), sizes=list_sizes(encoder.public))
    except ValueError as failure:
        raise SettingError(str(failure)) from failure


def with_sizes(plain: dict[str, Any], source: Source) -> dict[str, Any]:
    """Returns a composed configuration in which every size of ``ranking.list`` is a number.

    Args:
        plain: What was composed; null is a size that was left open.
        source: Asked for these, once, and only where there is one.

    Raises:
        SettingError: A size is open and ``source`` does not have it.
    """
    ranking = plain.get("ranking")
    asked = ranking.get("list") if isinstance(ranking, dict) else None
    if not isinstance(ranking, dict) or not isinstance(asked, dict):
        return plain
    left_open = [name for name, value in asked.items() if value is None]
    if not left_open:
        return plain
    known = source(_encoder(ranking), _weights(ranking))
    for name in left_open:
        if name not in known.sizes:
            raise SettingError(
                f"ranking.list.{name}=null is filled in from {known.of}, which has no such "
                "size: give it a number, or take another ranking/list."
            )
    filled = {**asked, **{name: known.sizes[name] for name in left_open}}
    return {**plain, "ranking": {**ranking, "list": filled}}


def _encoder(ranking: Mapping[str, Any]) -> type[EncoderSettings]:
    """The settings of the kind that is named; a kind that is none is refused later."""
    encoder = ranking.get("encoder")
    kind = encoder.get("kind") if isinstance(encoder, dict) else None
    return ENCODERS.get(str(kind), EncoderSettings)


def _weights(ranking: Mapping[str, Any]) -> str | None:
    """The file that is named; no file where another word or none is."""
    weights = ranking.get("weights")
    return weights if isinstance(weights, str) else None
