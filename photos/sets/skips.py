"""Why a row, a photo or a label of a public set is left out."""

from collections import Counter
from enum import StrEnum


class SetSkip(StrEnum):
    """A reason, in words that name no file and no person: reasons are counted and printed."""

    BAD_ROW = "table row that is cut off, has too few cells or cannot be read"
    NO_NUMBER = "table row whose cell is no number"
    OUT_OF_RANGE = "table row whose number is outside its range"
    OUTSIDE = "table row whose name would lead out of its folder"
    NO_OWNER = "table row of nobody"
    SECOND_ROW = "table row for a photo or a pair that has one"
    RANKS_DISAGREE = "table row whose rank is not that of an earlier row"
    OTHER_LIST = "table row of a series that trains"
    OTHER_PART = "table row of no part, or of another part than a row before"
    WITHOUT_PHOTO = "table row for a photo that is not there"
    UNRATED = "photo without a row"
    UNKNOWN_LABEL = "label that is none of the 17"
    NO_LABEL = "photo without a label"
    BROKEN = "person whose part of the file cannot be read"
    LONG_TABLE = "rest of a table that is too long"


def counts(skipped: Counter[str]) -> dict[str, int]:
    """Returns how many were left out by reason, in the order of the words."""
    return {str(reason): count for reason, count in sorted(skipped.items()) if count}
