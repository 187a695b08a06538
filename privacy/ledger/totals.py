"""What a ledger's records add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median_high

from privacy.ledger.records import Charge, Record, Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What records add up to.

    Attributes:
        charges: Charges in all, unknown ones too: the rounds of the unit *device*.
        unknown: Those that a crash left unreadable.
        visits: How often each device is named; unknown charges come on top for every device.
    """

    charges: int = 0
    unknown: int = 0
    visits: Mapping[int, int]

    def plus(self, records: Iterable[Record]) -> Spent:
        """Returns what is spent after ``records`` too; every record counts, replays as well."""
        visits, charges, unknown = Counter(self.visits), self.charges, self.unknown
        for record in records:
            if isinstance(record, Charge):
                charges += 1
                visits.update(record.devices)
            elif isinstance(record, Unknown):
                charges += record.charges
                unknown += record.charges
        return Spent(charges=charges, unknown=unknown, visits=visits)

    def of(self, device: int) -> int:
        """Returns the visits that one device has to count, also one that is never named."""
        return self.visits.get(device, 0) + self.unknown

    @property
    def most(self) -> int:
        """Visits of the device that is named most often."""
        return max(self.visits.values(), default=0) + self.unknown

    @property
    def median(self) -> int:
        """Visits of the middle device among those that are named; the larger of two."""
        return (median_high(self.visits.values()) if self.visits else 0) + self.unknown


NOTHING = Spent(visits={})
