"""Moments of public pictures, of which is known how each photo was taken: to pre-train on.

No picture that a held-out device of the sample photographs is among them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from photos.folder.framing import square
from photos.sample.capture import Capture, take
from photos.sample.owner import expected_gain, feedback, merits
from photos.sample.shots import PHONE, STRONG, draw_shots
from photos.sample.source_pictures import TRAINING, open_picture

NAMES = ("sharp", "level", "clean", "bright", "warm", "colourful", "wide", "exposed")
"""What is known of a photo: the sample's merits, and how near its exposure is to right."""

PUBLIC_TASTE = np.array([1.0, 0.5, 1.0, 0.2, 0.0, 0.3, 0.0, 0.8])
"""What the owners of public moments like: sharp, level, clean, colourful, well exposed photos.
It was written down once, not fitted to anybody's; 1.7 long."""

# Standard deviation of an owner's own part of each weight: as in the sample.
_OWN_TASTE = 0.2
# Stops of exposure that count 1: as in the sample's merits.
_STOPS = 0.65
# Spreads that any merit has at most; else squared errors would be of the worst blur and noise.
_LARGEST = 4.0
# Share of moments whose photos differ as a phone's do; the others' faults are stronger.
_AS_PHONES = 0.5
# Pixels of a photo's side before it is resized, as in the sample.
_TAKEN_AT = 192
# Probabilities with which a picture is mirrored, turned upside down, cut to a part, and its
# colours exchanged. The pictures are eight: a model that knew them would know no others.
_MIRRORED, _FLIPPED, _CUT, _EXCHANGED = 0.5, 0.3, 0.5, 0.5
# Share of a picture's sides that a part has at least.
_LEAST_PART = 0.5
# Keeps the draws apart from those of a sample's devices, which have a seed and a number alone.
_PUBLIC = 1


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PublicMoment:
    """Photos of one picture.

    Attributes:
        photos: [photos, side, side, 3] uint8 RGB.
        attributes: [photos, 8] float64, by ``NAMES``; each has a spread of about 1.
        bursts: [photos] int64 burst inside the moment.
        given: [photos] the feedback that a public owner gave.
        gains: [photos] the gain that was to be expected of it.
    """

    photos: NDArray[np.uint8]
    attributes: NDArray[np.float64]
    bursts: NDArray[np.int64]
    given: NDArray[np.int64]
    gains: NDArray[np.float64]


def public_moments(*, side: int, seed: int, device: int, count: int) -> Iterator[PublicMoment]:
    """Yields the moments of one public device; the same arguments give the same.

    Args:
        side: Pixels of a photo's side.
        seed: With ``device``, draws everything.
        device: Its number.
        count: How many.

    Raises:
        ValueError: A package that holds a picture is not installed.
    """
    rng = np.random.default_rng([_PUBLIC, seed, device])
    taste = PUBLIC_TASTE + rng.normal(0, _OWN_TASTE, len(NAMES))
    pictures = _pictures()
    for _ in range(count):
        picture = _variant(pictures[rng.integers(len(pictures))], rng=rng)
        yield _moment(picture, taste, side=side, rng=rng)


@cache
def _pictures() -> tuple[Image.Image, ...]:
    return tuple(open_picture(picture) for picture in TRAINING)


def attributes(capture: Capture) -> NDArray[np.float64]:
    """[8] what is known of a photo, by ``NAMES``."""
    known = np.append(merits(capture), -abs(capture.exposure) / _STOPS)
    return known.clip(-_LARGEST, _LARGEST)


def _moment(
    picture: Image.Image, taste: NDArray[np.float64], *, side: int, rng: np.random.Generator
) -> PublicMoment:
    shooting = PHONE if rng.random() < _AS_PHONES else STRONG
    shots = draw_shots(datetime(2025, 1, 1), shooting=shooting, rng=rng)
    known = np.stack([attributes(shot.capture) for shot in shots])
    liking = known @ taste
    liking -= liking.mean()
    bursts = np.array([shot.burst for shot in shots])
    taken = [take(picture, shot.capture, side=_TAKEN_AT, rng=rng) for shot in shots]
    return PublicMoment(
        photos=np.stack(
            [np.asarray(square(Image.fromarray(photo), side=side)) for photo in taken]
        ),
        attributes=known,
        bursts=bursts,
        given=feedback(liking, bursts, rng=rng),
        gains=expected_gain(liking, bursts),
    )


def _variant(picture: Image.Image, *, rng: np.random.Generator) -> Image.Image:
    """The picture, or its mirror image, a part of it, or one in other colours."""
    mirrored, flipped, cut, exchanged = rng.random(4) < (_MIRRORED, _FLIPPED, _CUT, _EXCHANGED)
    if mirrored:
        picture = ImageOps.mirror(picture)
    if flipped:
        picture = ImageOps.flip(picture)
    if cut:
        picture = _part(picture, rng=rng)
    if exchanged:
        order = rng.permutation(3)
        picture = Image.fromarray(np.ascontiguousarray(np.asarray(picture)[..., order]))
    return picture


def _part(picture: Image.Image, *, rng: np.random.Generator) -> Image.Image:
    share = rng.uniform(_LEAST_PART, 1)
    width, height = (int(share * length) for length in picture.size)
    left = int(rng.integers(picture.width - width + 1))
    top = int(rng.integers(picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))
