"""When a photo was taken: the first of four sources that says it."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from photos.owned.metadata.file_names import named_time


class TimeSource(StrEnum):
    """Where a time is from, in the order in which they are asked."""

    EXIF = "EXIF, with its offset from UTC"
    EXIF_CLOCK = "EXIF, by the clock of photos.zone"
    NAME = "the file's name"
    NAMED_DAY = "the file's name, the day alone"
    TAKEOUT = "Takeout's photoTakenTime"
    FILE = "the time of the file itself"


# What stands for a time that the calendar of UTC does not have, as 9999-12-31 23:59 further
# west: without it one photo ends the reading of all.
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptureTime:
    """When a photo was taken.

    Attributes:
        utc: The time in UTC; of a day alone its first instant.
        source: Where it is from.
    """

    utc: datetime
    source: TimeSource

    @property
    def day_alone(self) -> bool:
        """Whether no more than the day is known."""
        return self.source is TimeSource.NAMED_DAY


def capture_time(
    name: str,
    *,
    exif: datetime | None,
    takeout: datetime | None,
    modified: float,
    clock: tzinfo,
) -> CaptureTime:
    """Returns when a photo was taken.

    Times are compared in UTC. What says no offset is read by ``clock``, whoever wrote it and
    whatever other photos say.

    Args:
        name: The file's name.
        exif: What EXIF says, aware where it says the offset.
        takeout: What Takeout says.
        modified: Seconds since 1970 of the file's last change.
        clock: The time zone of clocks that do not say theirs.
    """
    if exif is not None:
        source = TimeSource.EXIF_CLOCK if exif.tzinfo is None else TimeSource.EXIF
        return CaptureTime(utc=_utc(exif, clock), source=source)
    named = named_time(name)
    if named is not None:
        source = TimeSource.NAMED_DAY if named.clock is None else TimeSource.NAME
        utc = _utc(named.moment(), UTC if named.utc else clock)
        return CaptureTime(utc=utc, source=source)
    if takeout is not None:
        return CaptureTime(utc=takeout, source=TimeSource.TAKEOUT)
    return CaptureTime(utc=_of_file(modified), source=TimeSource.FILE)


def _utc(time: datetime, clock: tzinfo) -> datetime:
    try:
        return (time if time.tzinfo else time.replace(tzinfo=clock)).astimezone(UTC)
    except (OverflowError, ValueError):
        return _NO_TIME


def _of_file(modified: float) -> datetime:
    try:
        return datetime.fromtimestamp(modified, UTC)
    except (OverflowError, ValueError, OSError):
        return _NO_TIME
