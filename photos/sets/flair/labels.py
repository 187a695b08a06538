"""The 17 coarse labels of FLAIR, and what of a photo's labels counts."""

from collections import Counter
from collections.abc import Iterable

from photos.sets.skips import SetSkip

LABELS = (
    *("animal", "art", "celebration", "equipment", "fire", "food", "games", "interior_room"),
    *("light", "liquid", "material", "music", "outdoor", "plant", "recreation", "religion"),
    "structure",
)

_PLACES = {label: place for place, label in enumerate(LABELS)}


def places(labels: Iterable[str], skipped: Counter[str]) -> tuple[int, ...]:
    """Returns the places in ``LABELS`` of a photo's labels, each once, sorted.

    A label that is none of them is counted; so is a photo that is left without one.
    """
    known: set[int] = set()
    for label in labels:
        if label in _PLACES:
            known.add(_PLACES[label])
        else:
            skipped[SetSkip.UNKNOWN_LABEL] += 1
    if not known:
        skipped[SetSkip.NO_LABEL] += 1
    return tuple(sorted(known))
