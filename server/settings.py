"""How the server draws cohorts and applies what they send."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Interval

from privacy.mechanisms.base.unit_settings import Federation
from protocol.optimizers import AnyOptimizer
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

    rounds: Annotated[int, Interval(ge=1, le=1_000_000)]
    cohort: Annotated[float, Gt(0)]
    averaged: Annotated[int, Interval(ge=1, le=1_000)]
    timeout: Annotated[float, Gt(0)]
    aggregation: AnyRule
    optimizer: AnyOptimizer

    def federation(self, devices: int) -> Federation:
        """Returns the public facts of a run over ``devices`` devices."""
        return Federation(devices=devices, rounds=self.rounds, cohort=self.cohort)
