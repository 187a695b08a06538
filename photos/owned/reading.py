"""From a moment of indexed photos to the moment that is ranked: pixels, bursts and feedback."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photos.folder.decoding import decode
from photos.folder.photograph import Photograph, PhotoReader
from photos.library import SMALLEST_MOMENT, Feedback, Moment
from photos.owned.bursts import bursts
from photos.owned.companions import Remark
from photos.owned.index import IndexedPhoto
from photos.owned.moments import moment_number
from photos.owned.settings import LibraryPhotos
from photos.owned.skips import Left


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DecodedMoment:
    """The photos of a moment that could be decoded, in the order of time.

    Attributes:
        photos: What is known of each.
        pixels: [side, side, 3] uint8 RGB of each, or what its reader puts in their place.
        bursts: [photos] int64; equal numbers are near duplicates.
        lost: The others, and why, for their owner's eyes.
    """

    photos: tuple[IndexedPhoto, ...]
    pixels: tuple[NDArray[np.uint8], ...]
    bursts: NDArray[np.int64]
    lost: tuple[Remark, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ReadMoment:
    """What a moment came to.

    Attributes:
        moment: What is ranked, or None where it says no order.
        skipped: How many photos or moments were left out, by reason.
        lost: Photos that could not be decoded, and why, for their owner's eyes.
    """

    moment: Moment | None
    skipped: Counter[str]
    lost: tuple[Remark, ...] = ()


def read_moment(
    folder: Path,
    photos: Sequence[IndexedPhoto],
    settings: LibraryPhotos,
    *,
    reader: PhotoReader = decode,
) -> ReadMoment:
    """Reads the photos of a moment that says an order; of any other none is opened.

    A photo without a rating is kept. Where all photos have the same feedback, or one is alone,
    nothing says which of them its owner prefers.

    Args:
        folder: The device's folder.
        photos: One of ``moments``.
        settings: The source's.
        reader: Reads each.
    """
    if reason := no_order(photos):
        return ReadMoment(moment=None, skipped=Counter([reason]))
    found = decode_moment(folder, photos, settings, reader=reader)
    skipped: Counter[str] = Counter(one.reason for one in found.lost)
    if reason := no_order(found.photos):
        return ReadMoment(moment=None, skipped=skipped + Counter([reason]), lost=found.lost)
    moment = Moment(
        number=moment_number(photos),
        photos=np.stack(found.pixels),
        bursts=found.bursts,
        feedback=np.array([feedback(photo) for photo in found.photos], dtype=np.int64),
        expected_gain=None,
    )
    return ReadMoment(moment=moment, skipped=skipped, lost=found.lost)


def decode_moment(
    folder: Path,
    photos: Sequence[IndexedPhoto],
    settings: LibraryPhotos,
    *,
    reader: PhotoReader = decode,
) -> DecodedMoment:
    """Reads photos and finds their bursts, whatever their feedback.

    Args:
        folder: Same as for ``read_moment``.
        photos: Same as for ``read_moment``.
        settings: Same as for ``read_moment``.
        reader: Reads each.
    """
    decoded = [reader(folder / photo.name, side=settings.side) for photo in photos]
    both = list(zip(photos, decoded, strict=True))
    whole = [(photo, one) for photo, one in both if isinstance(one, Photograph)]
    return DecodedMoment(
        photos=tuple(photo for photo, _ in whole),
        pixels=tuple(one.pixels for _, one in whole),
        bursts=bursts(
            [photo.taken.utc for photo, _ in whole],
            [one.likeness for _, one in whole],
            gap=settings.burst_gap,
            distance=settings.burst_distance,
        ),
        lost=tuple(
            Remark(name=photo.name, reason=one)
            for photo, one in both
            if not isinstance(one, Photograph)
        ),
    )


def feedback(photo: IndexedPhoto) -> Feedback:
    """Returns what the owner did with a photo: kept it, where no source says otherwise."""
    return photo.rating.feedback if photo.rating else Feedback.KEEP


def no_order(photos: Sequence[IndexedPhoto]) -> Left | None:
    """Returns why photos say no order; None where they do."""
    if len(photos) < SMALLEST_MOMENT:
        return Left.ALONE
    return Left.NO_ORDER if len({feedback(photo) for photo in photos}) == 1 else None
