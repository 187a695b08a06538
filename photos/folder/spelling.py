"""The photo that a table means, however it spells the name."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection

Spelling = Callable[[str], str]


def _without_steps(path: str) -> str:
    """Without ``./`` and ``//``."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _composed(path: str) -> str:
    """In one Unicode form and with one kind of line break."""
    broken = path.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _without_steps(broken))


def _trimmed(path: str) -> str:
    """Without blanks at the ends of the names."""
    return "/".join(part.strip() for part in _composed(path).split("/"))


# From the literal to the loosest.
_SPELLINGS: tuple[Spelling, ...] = (str, _without_steps, _composed, _trimmed)


class Spellings:
    """Photos by every spelling of their paths.

    A name means the photo that is called so to the letter. Where none is, the differences that
    systems and spreadsheets make are passed over one after the other: ``./`` and ``//``, the
    Unicode form and the kind of line breaks, blanks at the ends of names, and last backslashes
    in place of ``/``.
    """

    def __init__(self, photos: Collection[str]) -> None:
        """Takes the photos' paths."""
        self._photos = photos
        self._by_name: dict[Spelling, dict[str, list[str]]] = {}

    def meant(self, *names: str) -> tuple[str, ...]:
        """Returns the photos that a cell may mean: none, one, or several that look alike.

        Args:
            names: The readings of the cell, the most literal first.
        """
        slashed = (name.replace("\\", "/") for name in names)
        tries = [(spelling, name) for spelling in _SPELLINGS for name in names]
        for spelling, name in (*tries, *((_trimmed, name) for name in slashed)):
            if found := self._spelt(spelling).get(spelling(name)):
                return tuple(found)
        return ()

    def _spelt(self, spelling: Spelling) -> dict[str, list[str]]:
        if spelling not in self._by_name:
            by_name: dict[str, list[str]] = defaultdict(list)
            for photo in self._photos:
                by_name[spelling(photo)].append(photo)
            self._by_name[spelling] = by_name
        return self._by_name[spelling]
