"""Moments from the times of photos alone: what was taken without a long pause."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta

from photos.library import LARGEST_MOMENT
from photos.owned.index import IndexedPhoto

# Bits of a hash that a moment's number leaves out, so that it fits a signed number.
_SIGN = 1


def moments(
    photos: Sequence[IndexedPhoto], *, gap: float
) -> Iterator[tuple[IndexedPhoto, ...]]:
    """Yields photos that were taken together, at most 12, in the order of time.

    A pause of more than ``gap`` ends a moment. Photos of which the day alone is known are apart
    from the others: one moment a day. What is longer than 12 photos is cut where the pause was
    longest, within the middle half, and so on in both parts: no photo is lost, each part has at
    least 3, and where it is cut follows from nothing outside it. So two moments more than a gap
    apart never change each other.

    Args:
        photos: In the order of time, as ``Index`` has them.
        gap: Minutes.
    """
    longest = timedelta(minutes=gap)
    for day_alone in (True, False):
        same = [photo for photo in photos if photo.taken.day_alone == day_alone]
        for together in _together(same, timedelta() if day_alone else longest):
            yield from _cut(together)


def moment_number(photos: Sequence[IndexedPhoto]) -> int:
    """Returns a moment's own number: 63 bits of the SHA-256 of its first photo's path.

    No photo is in two moments, so that no number depends on other moments.
    """
    name = os.fsencode(photos[0].name)
    return int.from_bytes(hashlib.sha256(name).digest()[:8]) >> _SIGN


def _together(
    photos: Sequence[IndexedPhoto], longest: timedelta
) -> Iterator[tuple[IndexedPhoto, ...]]:
    start = 0
    for place in range(1, len(photos) + 1):
        if place == len(photos) or _pause(photos, place) > longest:
            yield tuple(photos[start:place])
            start = place


def _cut(photos: tuple[IndexedPhoto, ...]) -> Iterator[tuple[IndexedPhoto, ...]]:
    waiting = [photos]
    while waiting:
        part = waiting.pop()
        if len(part) <= LARGEST_MOMENT:
            yield part
            continue
        place = _longest_pause(part)
        waiting += [part[place:], part[:place]]


def _longest_pause(photos: tuple[IndexedPhoto, ...]) -> int:
    """The place of the photo after the longest pause; of equal ones nearest to the middle."""
    count = len(photos)
    middle_half = range(count // 4, count - count // 4 + 1)
    return max(middle_half, key=lambda place: (_pause(photos, place), -abs(2 * place - count)))


def _pause(photos: Sequence[IndexedPhoto], place: int) -> timedelta:
    return photos[place].taken.utc - photos[place - 1].taken.utc
