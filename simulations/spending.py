"""What the run has cost in privacy so far: by device, as it ran."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_high

from privacy.dpsgd import DpSgd


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """The ε of the unit *example* at one moment of a run; infinite without a mechanism.

    Attributes:
        worst: Of the device that took part most often.
        median: Of the middle device among those that took part; the larger one of two.
        ceiling: Of a device that takes part as often as it ever may.
        delta: The δ of all three.
    """

    worst: float
    median: float
    ceiling: float
    delta: float


class Spending:
    """Counts who took part; a device's ε differs from another's by nothing else."""

    def __init__(self, mechanism: DpSgd, *, max_participations: int) -> None:
        self._mechanism = mechanism
        self._max_participations = max_participations
        self._visits: Counter[int] = Counter()

    def charge(self, devices: Iterable[int]) -> None:
        """Counts one visit of each of ``devices``, whatever became of its reply."""
        self._visits.update(devices)

    def spent(self) -> Spent:
        """Returns the ε so far.

        A device whose replies were lost may be counted too often, but it declines by its own
        count, so no device has more than ``max_participations`` visits.
        """
        most = self._max_participations
        visits = [min(visits, most) for visits in self._visits.values()] or [0]
        return Spent(
            worst=self._mechanism.epsilon(max(visits)),
            median=self._mechanism.epsilon(median_high(visits)),
            ceiling=self._mechanism.epsilon(most),
            delta=self._mechanism.delta,
        )
