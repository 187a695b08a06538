"""What an owner did with a photo, as stars, labels and hearts say it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from photos.library import Feedback
from photos.owned.metadata.takeout import Takeout
from photos.owned.metadata.xmp import Xmp

# Stars: the ends of xmp:Rating, of which -1 says "rejected" and 0 "not rated".
_REJECTED, _NOT_RATED, _MOST = -1, 0, 5
# Percent: from which share on Windows shows 1, 2, 3, 4 and 5 stars.
_PERCENT_FROM = (1, 13, 38, 63, 88)
# Percent: the most that there can be; a larger share is no rating.
_WHOLE = 100
# digiKam's label of a photo that was turned down.
_TURNED_DOWN = "1"
_HEARTS = frozenset({"favorite", "favourite"})


class RatingSource(StrEnum):
    """Where a rating is from; of two that say something, the first counts."""

    SIDECAR = "XMP sidecar"
    EMBEDDED = "XMP inside the photo"
    EXIF = "EXIF"
    TAKEOUT = "Takeout"


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What one source says of a photo.

    Attributes:
        source: Which.
        feedback: What its owner did with it, or None where the source does not say.
        flaws: What it says that is no rating, such as ``7 stars``.
    """

    source: RatingSource
    feedback: Feedback | None
    flaws: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rating:
    """What an owner did with a photo.

    Attributes:
        feedback: Favourite, keep or delete.
        source: Who says it.
        disputed: Whether a later source says otherwise.
    """

    feedback: Feedback
    source: RatingSource
    disputed: bool


def rating(sources: Iterable[Said]) -> Rating | None:
    """Returns what the first source says that says something; None where none does."""
    saying = [
        (one.feedback, one.source)
        for one in sorted(sources, key=lambda one: list(RatingSource).index(one.source))
        if one.feedback is not None
    ]
    if not saying:
        return None
    feedback, source = saying[0]
    disputed = any(other is not feedback for other, _ in saying)
    return Rating(feedback=feedback, source=source, disputed=disputed)


def of_xmp(xmp: Xmp, *, source: RatingSource, favourite_from: int) -> Said:
    """Reads xmp:Rating; without one the percentage, digiKam's label, and the keyword favourite.

    Args:
        xmp: The packet.
        source: Where it lay.
        favourite_from: Stars that make a favourite.
    """
    found, flaws = _first_of(xmp.stars or None, xmp.percent or None, favourite_from)
    if found is None and xmp.pick == _TURNED_DOWN:
        found = Feedback.DELETE
    if found is None and _HEARTS & {word.casefold() for word in xmp.keywords}:
        found = Feedback.FAVOURITE
    return Said(source=source, feedback=found, flaws=flaws)


def of_exif(stars: object, percent: object, *, favourite_from: int) -> Said:
    """Reads EXIF's Rating; without one its RatingPercent."""
    found, flaws = _first_of(stars, percent, favourite_from)
    return Said(source=RatingSource.EXIF, feedback=found, flaws=flaws)


def of_takeout(takeout: Takeout) -> Said:
    """Reads Takeout's marks: what was thrown away is deleted, even a favourite."""
    found = Feedback.FAVOURITE if takeout.favourite else None
    found = Feedback.DELETE if takeout.trashed else found
    return Said(source=RatingSource.TAKEOUT, feedback=found)


def _first_of(
    stars: object, percent: object, favourite_from: int
) -> tuple[Feedback | None, tuple[str, ...]]:
    """What stars say, or else percent; and which of both is out of range."""
    flaws: list[str] = []
    given = None if stars is None else _number(stars, _REJECTED, _MOST)
    if stars is not None and given is None:
        flaws.append(f"a rating of {_shown(stars)} is not within -1 to 5 stars")
    share = None if given or percent is None else _number(percent, 0, _WHOLE)
    if not given and percent is not None and share is None:
        flaws.append(f"a rating of {_shown(percent)} is not within 0 to 100 percent")
    if share is not None:
        given = given or sum(share >= least for least in _PERCENT_FROM)
    return _feedback(given or _NOT_RATED, favourite_from), tuple(flaws)


def _feedback(stars: float, favourite_from: int) -> Feedback | None:
    if stars == _NOT_RATED:
        return None
    if stars < _NOT_RATED:
        return Feedback.DELETE
    return Feedback.FAVOURITE if stars >= favourite_from else Feedback.KEEP


def _number(value: object, least: float, most: float) -> float | None:
    """A number within a range; None of anything else."""
    if not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if least <= found <= most else None


def _shown(value: object) -> str:
    """A value that a file claims, short enough for a line and without what moves a cursor."""
    return ascii(value)[:40]
