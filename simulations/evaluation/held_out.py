"""The held-out moments: what a released model is judged on, and never trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from client.embeddings.examples import embed
from photos.library import LARGEST_MOMENT, Judgement, Moment
from photos.source import PhotoSource
from photos.split import held_out_moments
from ranking.model.encoder import PhotoEncoder
from ranking.parameters import module_digest

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HeldOut:
    """The held-out moments of the held-out devices, padded to one length.

    Attributes:
        devices: Their numbers in the population; position in it is a device's index.
        device_of: [lists] int64 index of the device of each list.
        numbers: [lists] int64 each moment's own number in its library.
        where: [lists, photos] bool.
        realised: [lists, photos] gain of the feedback that was given.
        expected: [lists, photos] expected gain, or the realised one for real photographs.
        pixels: [all photos, side, side, 3] uint8, lists one after another.
        judgements: [lists] what a public set with a metric of its own says of each.
        embedded: The embeddings by the digest of the encoder that made them.
    """

    devices: tuple[int, ...]
    device_of: NDArray[np.int64]
    numbers: NDArray[np.int64]
    where: NDArray[np.bool_]
    realised: Floats
    expected: Floats
    pixels: NDArray[np.uint8]
    judgements: tuple[Judgement | None, ...] = ()
    embedded: dict[str, Tensor] = field(default_factory=dict)

    def embeddings(self, encoder: PhotoEncoder) -> Tensor:
        """Returns [lists, photos, d] embeddings, zero where padded; the last are remembered."""
        digest = module_digest(encoder)
        if digest not in self.embedded:
            self.embedded.clear()
            self.embedded[digest] = self._embed(encoder)
        return self.embedded[digest]

    @torch.no_grad()
    def _embed(self, encoder: PhotoEncoder) -> Tensor:
        flat = embed(encoder, self.pixels)
        padded = flat.new_zeros(*self.where.shape, flat.shape[-1])
        padded[torch.from_numpy(self.where)] = flat
        return padded


def gather(source: PhotoSource, *, share: float, seed: int) -> HeldOut:
    """Gathers the held-out moments of every held-out device.

    Where no device is held out, as for a small folder, the training devices' held-out moments
    stand in.
    """
    first = source.devices if source.held_out_devices else 0
    numbers = range(first, source.devices + source.held_out_devices)
    kept = [
        (number, held_out_moments(source.library(number), seed=seed, held_out_share=share))
        for number in numbers
    ]
    lists = [moment for _, moments in kept for moment in moments]
    if not lists:
        raise ValueError(
            "photos.held_out_share leaves no moment to evaluate on; raise it or add moments."
        )
    owners = [index for index, (_, moments) in enumerate(kept) for _ in moments]
    known = all(moment.expected_gain is not None for moment in lists)
    realised = _padded([_realised(moment) for moment in lists])
    return HeldOut(
        devices=tuple(number for number, _ in kept),
        device_of=np.array(owners),
        numbers=np.array([moment.number for moment in lists]),
        where=_padded([np.ones(len(moment.photos)) for moment in lists]) > 0,
        realised=realised,
        expected=_padded([expected_gain(moment) for moment in lists]) if known else realised,
        pixels=np.concatenate([moment.photos for moment in lists]),
        judgements=tuple(moment.judgement for moment in lists),
    )


def _realised(moment: Moment) -> Floats:
    return np.exp2(moment.feedback.astype(np.float64)) - 1


def expected_gain(moment: Moment) -> Floats:
    """Returns [photos] the gain to expect under a moment's known taste.

    Raises:
        ValueError: It is not known: the photographs are real.
    """
    if moment.expected_gain is None:
        raise ValueError("the taste behind a real photograph is unknown")
    return moment.expected_gain


def _padded(rows: Sequence[Floats]) -> Floats:
    padded = np.zeros((len(rows), LARGEST_MOMENT))
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded
