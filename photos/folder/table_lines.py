"""The lines of a table, each by itself so that none can take another with it."""

import re
import unicodedata
from collections import defaultdict, deque
from collections.abc import Collection, Iterator
from typing import TextIO

LARGEST_TABLE = 2**28
"""Characters that are read: the rows of two million photos. Without it a file of holes, which
may claim any length, keeps the device reading for ever."""
LONGEST_LINE = 131_072
"""Characters: the csv module's own limit of one cell. Without it one line fills the memory."""

_BREAK = re.compile("\r\n|\r|\n")
# A cell whose quotes are still open where its line ends, and what it holds so far.
_OPEN = re.compile(r'(?:^|,)[^\S\r\n]*"((?:[^"]|"")*)$')


def lines(text: TextIO, *, broken: Collection[str]) -> Iterator[str | None]:
    """Yields each line without its end, and None for one that is too long.

    A quoted name with a line break in it joins the lines that it stands on, if it is one of
    those in ``broken``: quotes that are left open for another reason cost their own line alone.

    Args:
        text: Opened with ``newline=""``, which leaves line breaks as they are.
        broken: The names that may hold line breaks; others are passed over.
    """
    following = _Following(_physical(text))
    names = _pieces_by_first(broken)
    for line in following:
        more = _more(line, names, following) if line and names else 0
        joined = [line, *(next(following) for _ in range(more))]
        yield None if line is None else "".join(filter(None, joined)).rstrip("\r\n")


class _Following:
    """Lines of which those to come can be looked at."""

    def __init__(self, lines: Iterator[str | None]) -> None:
        self._lines = lines
        self._seen: deque[str | None] = deque()

    def __iter__(self) -> Iterator[str | None]:
        return self

    def __next__(self) -> str | None:
        return self._seen.popleft() if self._seen else next(self._lines)

    def look(self, place: int) -> str:
        """The line after so many others; empty where there is none or it is too long."""
        while len(self._seen) <= place:
            try:
                self._seen.append(next(self._lines))
            except StopIteration:
                return ""
        return self._seen[place] or ""


def _physical(text: TextIO) -> Iterator[str | None]:
    read = 0
    while read < LARGEST_TABLE and (line := text.readline(LONGEST_LINE)):
        read += len(line)
        if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
            yield line
            continue
        # Before its rest is passed over: of a head that is too long nobody asks for more.
        yield None
        while read < LARGEST_TABLE and (rest := text.readline(LONGEST_LINE)):
            read += len(rest)
            if rest.endswith(("\n", "\r")):
                break


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).rstrip("\r\n")


def _pieces_by_first(broken: Collection[str]) -> dict[str, list[list[str]]]:
    """By its first line, as it stands inside quotes, the other lines of each name."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for name in broken:
        first, *others = _BREAK.split(unicodedata.normalize("NFC", name.replace('"', '""')))
        if others:
            found[first].append(others)
    return dict(found)


def _more(line: str, names: dict[str, list[list[str]]], following: _Following) -> int:
    """How many of the lines to come the name goes on for that this line ends in."""
    cell = _OPEN.search(_plain(line))
    for others in names.get(cell[1], []) if cell else []:
        *middle, last = others
        if all(_plain(following.look(at)) == part for at, part in enumerate(middle)) and (
            _plain(following.look(len(middle))).startswith(f'{last}"')
        ):
            return len(others)
    return 0
