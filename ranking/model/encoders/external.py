"""Encoders that are not ours: they stay where they are, and only their digest is sent."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ranking.encoders import External
from ranking.model.encoder import PhotoEncoder
from ranking.model.encoders.trial import Embed, Tried, padded


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Opened:
    """An encoder that was found, and tried.

    Attributes:
        embed: [at_once, 3, side, side], as its settings scale them, to [at_once, width].
        tried: How wide it is, and how many photos it sees at once.
        digest: Hexadecimal SHA-256 of what it is.
    """

    embed: Embed
    tried: Tried
    digest: str


Opener = Callable[[External], Opened]


class ExternalEncoder(PhotoEncoder):
    """Asks an encoder that is opened when the first photo comes.

    None of its weights is a parameter: they are neither sent nor kept in a file of weights.
    Where its width and digest are known it need not be there: a server never asks it.

    Args:
        settings: Its settings.
        opener: Finds and tries it; asked again it returns the same.

    Attributes:
        identity: Hexadecimal SHA-256 of what it is and how it is asked.

    Raises:
        ValueError: It must be opened, and cannot be.
    """

    def __init__(self, settings: External, *, opener: Opener) -> None:
        known = pinned(settings, opener=opener)
        super().__init__(known, width=known.width or 0)
        self.identity = known.identity
        self._known, self._opener = known, opener
        self.register_buffer("here", torch.empty(0), persistent=False)

    def embedded(self, photos: Tensor) -> Tensor:
        """Same as of ``PhotoEncoder``; a side is the one of the settings."""
        settings = self._known
        if not len(photos):
            return photos.new_zeros(0, self.width)
        if sentence := settings.refuses(photos.shape[-1]):
            raise ValueError(sentence)
        opened = checked(settings, opener=self._opener)
        mean, deviation = (
            photos.new_tensor(values)[:, None, None]
            for values in (settings.mean, settings.deviation)
        )
        with torch.no_grad():
            scaled = (photos - mean) / deviation
            return padded(opened.embed, scaled, at_once=opened.tried.at_once)


def pinned(settings: External, *, opener: Opener) -> External:
    """Returns settings that say how wide the encoder is and what; opened where they did not."""
    if settings.width is not None and settings.digest is not None:
        return settings
    opened = checked(settings, opener=opener)
    return settings.pinned(width=opened.tried.width, digest=opened.digest)


def checked(settings: External, *, opener: Opener) -> Opened:
    """Returns the encoder of ``settings``, which is the one that they know.

    Raises:
        ValueError: It is not there, or another.
    """
    opened = opener(settings)
    found = (opened.tried.width, opened.digest)
    asked = (settings.width, settings.digest)
    if any(one not in (None, own) for one, own in zip(asked, found, strict=True)):
        raise ValueError(
            f"{settings.called} is not the encoder that was agreed: its digest is "
            f"{opened.digest[:12]}… with {opened.tried.width} numbers a photo, where "
            f"ranking.encoder.digest={str(settings.digest)[:12]}… and ranking.encoder.width="
            f"{settings.width} are asked for; name that encoder, or leave both null."
        )
    return opened
