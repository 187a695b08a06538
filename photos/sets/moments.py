"""From a person's photos to moments: which stand together, and what is read of them."""

import hashlib
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from photos.folder.population import moment_number
from photos.folder.skips import Skip
from photos.library import (
    LARGEST_MOMENT,
    SMALLEST_MOMENT,
    Feedback,
    Judgement,
    Moment,
)

Pixels = NDArray[np.uint8]
Judge = Callable[[Sequence[str]], Judgement | None]


def cut(names: Iterable[str], *, size: int, seed: int, device: str) -> list[tuple[str, ...]]:
    """Cuts a device's photos into moments of ``size``; the last may be smaller.

    The order is that of a hash of each photo's name, keyed by seed and device: the same in any
    process, and no other device's photos change it.

    Args:
        names: The photos' names; any order.
        size: Photos of a moment.
        seed: The run's seed.
        device: The device's name in its set.
    """
    key = hashlib.blake2b(
        struct.pack("<Q", seed) + device.encode(errors="surrogatepass"),
        digest_size=32,
        person=b"darkroom moments",
    ).digest()
    ordered = sorted(names, key=lambda name: (_hash(name, key), name))
    return [tuple(ordered[at : at + size]) for at in range(0, len(ordered), size)]


def number_of(names: Sequence[str]) -> int:
    """Returns the number of the moment of these photos, whether they can be read or not."""
    return moment_number("\0".join(names))


def moment_of(
    names: Sequence[str],
    read: Sequence[Pixels | Skip],
    feedback: Sequence[Feedback],
    skipped: Counter[str],
    *,
    judge: Judge,
) -> Moment | None:
    """Returns the moment of photos that were read, or None, counted, where too few were.

    It is a function of its own photos alone, and its number of their names: those that could
    not be read keep their part in it.

    Args:
        names: The photos' names, in order.
        read: [photos] pixels, or why there are none.
        feedback: [photos].
        skipped: Counts what is left out.
        judge: Gives the judgement of the photos that are left, by their names.
    """
    skipped.update(str(one) for one in read if isinstance(one, Skip))
    sound = [(place, one) for place, one in enumerate(read) if not isinstance(one, Skip)]
    if len(sound) > LARGEST_MOMENT:
        skipped[str(Skip.MANY_PHOTOS)] += len(sound) - LARGEST_MOMENT
        sound = sound[:LARGEST_MOMENT]
    if len(sound) < SMALLEST_MOMENT:
        skipped[str(Skip.FEW_PHOTOS)] += 1
        return None
    return Moment(
        number=number_of(names),
        photos=np.stack([pixels for _, pixels in sound]),
        bursts=np.arange(len(sound)),
        feedback=np.array([feedback[place] for place, _ in sound], dtype=np.int64),
        expected_gain=None,
        judgement=judge([names[place] for place, _ in sound]),
    )


def _hash(name: str, key: bytes) -> bytes:
    return hashlib.blake2b(name.encode(errors="surrogatepass"), key=key).digest()
