"""What the files beside a photo say of it: XMP sidecars and Takeout's file."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from photos.folder.regular_file import open_regular
from photos.folder.skips import Skip
from photos.owned.metadata import ratings, takeout, xmp
from photos.owned.metadata.ratings import RatingSource, Said
from photos.owned.metadata.takeout import Takeout
from photos.owned.metadata.xmp import BadXmpError
from photos.owned.skips import Left


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """What is wrong with one file, for its owner's eyes alone.

    Attributes:
        name: The file's path below the device's folder.
        reason: Why it is left out, or what it says.
    """

    name: str
    reason: str


@dataclass(slots=True)
class Remarks:
    """Files that are left out, or of which a part is.

    Attributes:
        skipped: How many, by reason.
        of: Which.
    """

    skipped: Counter[str] = field(default_factory=Counter)
    of: list[Remark] = field(default_factory=list)

    def add(self, name: str, reason: str, detail: str = "") -> None:
        """Counts one, and remembers the file and what it says."""
        self.skipped[reason] += 1
        self.of.append(Remark(name=name, reason=detail or reason))


@dataclass(frozen=True, kw_only=True, slots=True)
class Companions:
    """The files of one folder that may belong to a photo in it; each is read once.

    Attributes:
        folder: Where they are.
        below: The same as a path below the device's folder; empty for that itself.
        names: Their names by ``takeout.key``; several may differ in case alone.
        favourite_from: Stars that make a favourite.
        remarks: Gets what cannot be read.
    """

    folder: Path
    below: str
    names: Mapping[str, Sequence[str]]
    favourite_from: int
    remarks: Remarks
    _packets: dict[str, Said | None] = field(default_factory=dict)
    _takeouts: dict[str, Takeout | None] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def left_over(self) -> int:
        """Returns how many belong to no photo that was asked for."""
        return sum(map(len, self.names.values())) - len(self._used)

    def sidecars(self, photo: str) -> Iterator[Said]:
        """Yields what IMG.JPG.xmp says of the photo IMG.JPG, and then IMG.xmp."""
        for name in (f"{photo}.xmp", f"{PurePath(photo).stem}.xmp"):
            own = self._find(name)
            if own is None:
                continue
            self._used.add(own)
            if own not in self._packets:
                self._packets[own] = self._sidecar(own)
            if said := self._packets[own]:
                yield said

    def takeout(self, photo: str) -> Takeout | None:
        """Returns what Takeout's file of a photo says, or None where there is none."""
        for name, cut in takeout.companion_names(photo):
            own = self._find(name)
            if own is None:
                continue
            if own not in self._takeouts:
                self._takeouts[own] = self._takeout(own)
            found = self._takeouts[own]
            if found and cut and not takeout.is_of(found, photo):
                continue
            self._used.add(own)
            if found:
                return found
        return None

    def packet(self, name: str, content: bytes, *, source: RatingSource) -> Said | None:
        """Returns what an XMP packet in the file ``name`` says, or None where it has flaws."""
        try:
            found = xmp.read_xmp(content)
        except BadXmpError as failure:
            self._remark(name, Left.BAD_SIDECAR, f"XMP with {failure}")
            return None
        said = ratings.of_xmp(found, source=source, favourite_from=self.favourite_from)
        return self.remarked(name, said)

    def remarked(self, name: str, said: Said) -> Said:
        """Remembers what in the file ``name`` is no rating; returns what is said."""
        for flaw in said.flaws:
            self._remark(name, Left.BAD_RATING, flaw)
        return said

    def _find(self, name: str) -> str | None:
        """The file of this name, or the first that differs in case or accents' form alone."""
        like = self.names.get(takeout.key(name), ())
        return name if name in like else next(iter(like), None)

    def _sidecar(self, name: str) -> Said | None:
        content = self._content(name, largest=xmp.LARGEST_PACKET)
        if content is None:
            return None
        return self.packet(name, content, source=RatingSource.SIDECAR)

    def _takeout(self, name: str) -> Takeout | None:
        content = self._content(name, largest=takeout.LARGEST_FILE)
        found = None if content is None else takeout.read_takeout(content)
        if content is not None and found is None:
            self._remark(name, Left.BAD_SIDECAR, "no file of Takeout's inside")
        return found

    def _content(self, name: str, *, largest: int) -> bytes | None:
        file = open_regular(self.folder / name, largest=largest)
        try:
            if not isinstance(file, Skip):
                with file:
                    return file.read(largest)
        except OSError:
            file = Skip.UNREADABLE
        reason = "larger than any sidecar" if file is Skip.LARGE_FILE else file
        self._remark(name, Left.BAD_SIDECAR, reason)
        return None

    def _remark(self, name: str, reason: str, detail: str) -> None:
        self.remarks.add(f"{self.below}/{name}" if self.below else name, reason, detail)
