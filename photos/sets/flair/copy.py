"""What every layout of a copy of FLAIR gives, and the rows that two of them gather."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from photos.folder.skips import Skip
from photos.sets.flair.labels import places
from photos.sets.moments import Pixels
from photos.sets.skips import SetSkip

PARTS = ("train", "val", "test")
LAYOUT = (
    "a copy of FLAIR: labels_and_metadata.json and small_images/, or one .hdf5 file, or "
    ".parquet files"
)

Labelled = Mapping[str, tuple[int, ...]]
"""The places of the labels of each photo, by the photo's name."""


class FlairCopy(Protocol):
    """A copy in one of its layouts."""

    def users(self, part: str) -> Collection[str]:
        """Returns the names of a part's users."""
        ...

    def labelled(self, user: str, skipped: Counter[str]) -> Labelled:
        """Returns a user's photos that have a label; what is left out now is counted."""
        ...

    def pixels(self, user: str, photos: Sequence[str], *, side: int) -> list[Pixels | Skip]:
        """Returns photos of a user, each resized, or why there is none."""
        ...


@dataclass(kw_only=True)
class Rows:
    """Gathers the rows of a copy that has them; the first row for a photo counts.

    A user is of the part of the first of their rows: their rows of another part are left out.

    Attributes:
        skipped: Rows left out, by reason.
        photos: The labels of each photo, by user and photo.
        parts: The part of each user.
    """

    skipped: Counter[str]
    photos: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)

    def add(self, user: object, photo: object, labels: object, part: object) -> bool:
        """Takes a row and says whether it counts; each of its cells may be anything."""
        if not (isinstance(user, str) and isinstance(photo, str) and isinstance(labels, list)):
            self.skipped[SetSkip.BAD_ROW] += 1
        elif not user:
            self.skipped[SetSkip.NO_OWNER] += 1
        elif part not in PARTS or self.parts.get(user, part) != part:
            self.skipped[SetSkip.OTHER_PART] += 1
        elif photo in self.photos.get(user, {}):
            self.skipped[SetSkip.SECOND_ROW] += 1
        elif known := places(map(str, labels), self.skipped):
            self.parts[user] = str(part)
            self.photos.setdefault(user, {})[photo] = known
            return True
        return False

    def users(self, part: str) -> list[str]:
        """Returns the names of a part's users."""
        return [user for user, own in self.parts.items() if own == part]
