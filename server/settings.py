"""How the server draws cohorts and applies what they send."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval

from privacy.mechanisms.base.unit_settings import Federation
from protocol.optimizers import AnyOptimizer
from protocol.rebuild import SettingError
from protocol.settings import Cohort, Times
from server.aggregation.rules import AnyRule


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Rounds, and what becomes of their updates.

    Attributes:
        rounds: Rounds of the run.
        cohort: Expected number of devices of a round; each takes part by its own coin.
        averaged: Last rounds whose parameters are averaged into the run's model; 1 for none.
        timeout: Seconds to wait for a round's replies.
        aggregation: Makes one mean update of those that came.
        optimizer: Applied to the negative mean update as if it were a gradient.
    """

    rounds: Times
    cohort: Cohort
    averaged: Annotated[int, Interval(ge=1, le=1_000)]
    timeout: Annotated[float, Gt(0)]
    aggregation: AnyRule
    optimizer: AnyOptimizer

    def federation(self, devices: int) -> Federation:
        """Returns the public facts of a run over ``devices`` devices."""
        return Federation(devices=devices, rounds=self.rounds, cohort=self.cohort)

    def check_cohort(self, *, devices: int) -> None:
        """Refuses more devices in a round than there are.

        A configuration that says how many there are is refused at once; a folder's count is
        known when it was opened; where Flower runs the server, nobody asked before it does.

        Args:
            devices: Devices that train.

        Raises:
            SettingError: One sentence with the way out.
        """
        if self.cohort > devices:
            raise SettingError(
                f"server.cohort={self.cohort:g} exceeds the number of devices that train, "
                f"{devices}; lower it."
            )
