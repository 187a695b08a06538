"""Google Takeout's file beside a photo: which photo it is of, and what it says."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from unicodedata import normalize

LARGEST_FILE = 2**20
"""Bytes: a hundred times what Takeout writes. Without it any large .json fills the memory."""

# Letters that are left, before .json, of a name that Takeout cuts: 46 in the exports that are
# known. With fewer letters asked for, a file is sooner taken for another photo's.
_CUT_FROM = 40
_ENDING = ".supplemental-metadata"
_EDITED = "-edited"
_NUMBERED = re.compile(r"(?P<stem>.*)(?P<number>\(\d+\))", re.DOTALL)
# What Takeout's times count their seconds from.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Takeout:
    """What a file says.

    Attributes:
        title: The photo's own name when it was uploaded; empty where the file does not say.
        taken: When it was taken, or None.
        favourite: Whether its owner made it a favourite.
        trashed: Whether its owner threw it away.
    """

    title: str
    taken: datetime | None
    favourite: bool
    trashed: bool


def key(name: str) -> str:
    """Returns a name as names are compared: without case, accents in one form."""
    return normalize("NFC", name).casefold()


def companion_names(photo: str) -> Iterator[tuple[str, bool]]:
    """Yields the names that the file of a photo may have, the likeliest first.

    With each it says whether the photo's own name is cut in it, so that ``is_of`` has to tell.

    Takeout cuts long names, writes the number of IMG(1).JPG behind the whole: IMG.JPG(1).json,
    and gives an edited copy, IMG-edited.JPG, the file of its original.
    """
    for title, number in _titles(photo):
        whole = title + _ENDING
        yield f"{title}{number}.json", False
        for length in range(len(whole), min(len(title), _CUT_FROM) - 1, -1):
            yield f"{whole[:length]}{number}.json", length < len(title)


def is_of(said: Takeout, photo: str) -> bool:
    """Says whether a file that was found by a name that is cut is of this photo."""
    stems = {PurePath(title).stem for title, _ in _titles(photo)}
    return any(_letters(said.title).startswith(_letters(stem)) for stem in stems)


def read_takeout(text: bytes) -> Takeout | None:
    """Returns what a file says, or None where it is no photo's."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not ({"title", "photoTakenTime"} & set(said)):
        return None
    title = said.get("title")
    return Takeout(
        title=title if isinstance(title, str) else "",
        taken=_taken(said.get("photoTakenTime")),
        favourite=said.get("favorited") is True,
        trashed=said.get("trashed") is True,
    )


def _letters(name: str) -> str:
    """A name without the marks that Takeout replaces in files' names."""
    return re.sub(r"\W|_", "", key(name))


def _titles(photo: str) -> Iterator[tuple[str, str]]:
    """The names by which Takeout may know a photo, each with its number."""
    path = PurePath(photo)
    yield photo, ""
    numbered = _NUMBERED.fullmatch(path.stem)
    stem, number = (numbered["stem"], numbered["number"]) if numbered else (path.stem, "")
    if number:
        yield f"{stem}{path.suffix}", number
    if stem.endswith(_EDITED):
        yield f"{stem.removesuffix(_EDITED)}{path.suffix}", number


def _taken(plain: object) -> datetime | None:
    seconds = plain.get("timestamp") if isinstance(plain, Mapping) else None
    try:
        return _EPOCH + timedelta(seconds=int(str(seconds)))
    except (ValueError, OverflowError):
        return None
