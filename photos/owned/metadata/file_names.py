"""When a photo was taken, as its file's name says."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

# Google's camera names its files by UTC, every other program by the local clock.
_UTC = "PXL_"
# WhatsApp counts the pictures of a day where others have the clock.
_COUNTED = "-WA"
_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<mark>[-_.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
    r"(?P<rest>.*)",
    re.ASCII | re.DOTALL,
)
# At most 12 other characters stand between: " at ", " um " or " a la(s) ".
_CLOCK = re.compile(
    r"\D{0,12}(?P<hour>\d\d|\d(?=[.:]))[-_.:]?(?P<minute>\d\d)[-_.:]?(?P<second>\d\d)"
    r"(?P<thousandths>\d{3})?(?!\d)(?:[\s\xa0\u202f]?(?P<half>[AaPp])\.?[Mm](?![A-Za-z]))?",
    re.ASCII,
)
# Digits right after the day are a clock, or what looked like a day is part of a longer number.
_CLOCK_FOLLOWS = re.compile(r"\d{6}(\d{3})?(?!\d)", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedTime:
    """What a name says.

    Attributes:
        day: The day.
        clock: The time of day, or None where the name says the day alone.
        utc: Whether both are those of UTC.
    """

    day: date
    clock: time | None
    utc: bool

    def moment(self) -> datetime:
        """Returns day and time by the clock of the name; midnight where it says none."""
        return datetime.combine(self.day, self.clock or time())


def named_time(name: str) -> NamedTime | None:
    """Reads names such as IMG_20240131_235959, 2024-01-31 23.59.59 or IMG-20240131-WA0001.

    Args:
        name: A file's name, with its suffix or without.

    Returns:
        The first date that the calendar has, or None where there is none.
    """
    for start in range(len(name)):
        found = _DATE.match(name, start)
        day = found and _day(found)
        if found and day:
            clock = None if found["rest"].startswith(_COUNTED) else _clock(found["rest"])
            if clock is None and found["rest"][:1].isdigit():
                continue
            return NamedTime(day=day, clock=clock, utc=name.startswith(_UTC))
    return None


def _day(found: re.Match[str]) -> date | None:
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def _clock(rest: str) -> time | None:
    if rest[:1].isdigit() and not _CLOCK_FOLLOWS.match(rest):
        return None
    found = _CLOCK.match(rest)
    if found is None:
        return None
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        hour = hour % 12 + 12 * (half == "p")
    try:
        thousandths = int(found["thousandths"] or 0)
        return time(hour, int(found["minute"]), int(found["second"]), thousandths * 1000)
    except ValueError:
        return None
