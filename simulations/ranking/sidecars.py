"""Places in a moment as ratings, in XMP sidecars that programs for photographs read."""

import errno
from collections.abc import Sequence
from pathlib import Path

from simulations.ranking.scored_list import ScoredList

BEST = 5
"""Stars of a moment's best photo; its last one has 1. Programs for photographs know 1 to 5."""

SUFFIX = ".xmp"
TOO_LONG = "photo whose name is too long for a sidecar's"
_TOOLKIT = 'x:xmptk="Darkroom"'
# Characters in which the toolkit of a sidecar stands; a sidecar of ours has fewer than 400.
_BEGINNING = 400


def rating(place: int, *, count: int) -> int:
    """Returns the stars of a photo: 5 for the best alone, 1 for the last, evenly in between.

    Args:
        place: From 0, the best.
        count: Photos of the list, at least two.

    Examples:
        >>> [rating(place, count=6) for place in range(6)]
        [5, 4, 3, 2, 1, 1]
        >>> [rating(place, count=2) for place in range(2)]
        [5, 1]
    """
    return BEST + (-place * (BEST - 1)) // (count - 1)


def sidecar(stars: int) -> str:
    """Returns a packet of XMP that says a rating and nothing else; no name is in it."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" {_TOOLKIT}>
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{stars}"/>
 </rdf:RDF>
</x:xmpmeta>
"""


def write_sidecars(lists: Sequence[ScoredList], *, photos: Path, into: Path) -> int:
    """Writes ``IMG_1.JPG.xmp`` for each ``IMG_1.JPG``, in folders like those of the photos.

    Args:
        lists: All lists.
        photos: The folder that they are of.
        into: An empty folder.

    Returns:
        How many photos have none: no file can be called like them and four letters more.
    """
    too_long = 0
    for one in lists:
        for place, photo in enumerate(one.order()):
            path = one.photos.path(photo).relative_to(photos)
            stars = rating(place, count=len(one.scores))
            too_long += not _written(into / f"{path}{SUFFIX}", sidecar(stars))
    return too_long


def former(entry: Path) -> bool:
    """Whether a file is a sidecar of ours, or a folder holds no other files than such."""
    if entry.is_symlink():
        return False
    if entry.is_dir():
        return all(former(one) for one in entry.iterdir())
    if entry.suffix != SUFFIX or not entry.is_file():
        return False
    with entry.open("rb") as file:
        return _TOOLKIT.encode() in file.read(_BEGINNING)


def _written(path: Path, text: str) -> bool:
    """Whether a new file could have this name; an existing one is never opened."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as failure:
        if failure.errno == errno.ENAMETOOLONG:
            return False
        raise
    return True
