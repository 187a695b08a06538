"""The held-out moments: what a released model is judged on, and never trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from client.embeddings.device_photos import DevicePhotos, library_of
from client.embeddings.examples import NO_PHOTO, embed
from client.model import encoder_digest
from photos.library import LARGEST_MOMENT, Judgement, Moment
from photos.source import PhotoSource
from photos.split import held_out_moments, trains
from ranking.model.encoder import PhotoEncoder

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
        pixels: [all photos, side, side, 3] uint8, lists one after another; none where the
            embeddings alone were gathered.
        judgements: [lists] what a public set with a metric of its own says of each.
        embedded: The embeddings by the digest of the encoder that made them, its settings too.
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
        """Returns [lists, photos, d] embeddings, zero where padded; the last are remembered.

        Raises:
            LookupError: The embeddings of another encoder were gathered, and no pixels.
        """
        digest = encoder_digest(encoder)
        if digest not in self.embedded:
            if self.where.any() and not len(self.pixels):
                raise LookupError("the photographs were gathered for another encoder")
            self.embedded.clear()
            self.embedded[digest] = self._embed(encoder)
        return self.embedded[digest]

    @torch.no_grad()
    def _embed(self, encoder: PhotoEncoder) -> Tensor:
        return _in_place(embed(encoder, self.pixels), self.where)


def gather(
    source: PhotoSource, *, share: float, seed: int, own: DevicePhotos | None = None
) -> HeldOut:
    """Gathers the held-out moments of every held-out device.

    Where no device is held out, as for a small folder, the training devices' held-out moments
    stand in.

    Args:
        source: The libraries.
        share: Share of moments that are held out.
        seed: The run's seed.
        own: Reads photographs for a frozen encoder, whose embeddings are then gathered; None
            gathers pixels.
    """
    first = source.devices if source.held_out_devices else 0
    numbers = range(first, source.devices + source.held_out_devices)
    kept = [
        (number, *_held_out(source, number, own, share=share, seed=seed)) for number in numbers
    ]
    lists = [moment for _, moments, _ in kept for moment in moments]
    if not lists:
        raise ValueError(
            "photos.held_out_share leaves no moment to evaluate on; raise it or add moments."
        )
    owners = [index for index, (_, moments, _) in enumerate(kept) for _ in moments]
    known = all(moment.expected_gain is not None for moment in lists)
    realised = _padded([_realised(moment) for moment in lists])
    where = _padded([np.ones(len(moment.photos)) for moment in lists]) > 0
    rows = [row for _, _, rows in kept for row in rows]
    return HeldOut(
        devices=tuple(number for number, _, _ in kept),
        device_of=np.array(owners),
        numbers=np.array([moment.number for moment in lists]),
        where=where,
        realised=realised,
        expected=_padded([expected_gain(moment) for moment in lists]) if known else realised,
        pixels=NO_PHOTO if own else np.concatenate([moment.photos for moment in lists]),
        judgements=tuple(moment.judgement for moment in lists),
        embedded={own.digest: _in_place(torch.cat(rows), where)} if own else {},
    )


def _held_out(
    source: PhotoSource, device: int, own: DevicePhotos | None, *, share: float, seed: int
) -> tuple[Sequence[Moment], list[Tensor]]:
    """A device's held-out moments, and the embeddings of each where they are asked for.

    Photos of other moments stay closed where that can be.
    """

    def held_out(number: int) -> bool:
        return not trains(number, seed=seed, device=device, held_out_share=share)

    if own is None:
        library = library_of(source, device, part=held_out)
        return held_out_moments(library, seed=seed, held_out_share=share), []
    with own.of(source, device, part=held_out) as (library, rows):
        moments = held_out_moments(library, seed=seed, held_out_share=share)
        return moments, [rows(moment.photos) for moment in moments]


def _in_place(rows: Tensor, where: NDArray[np.bool_]) -> Tensor:
    """[lists, photos, d]: the rows where ``where`` holds, in order, and zeros elsewhere."""
    padded = rows.new_zeros(*where.shape, rows.shape[-1])
    padded[torch.from_numpy(where)] = rows
    return padded


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
