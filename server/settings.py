"""How the server draws cohorts and applies what they send."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval, Lt


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """Rounds and the server optimizer.

    Attributes:
        rounds: Rounds of the run.
        cohort: Expected number of devices of a round; each takes part by its own coin.
        averaged: Last rounds whose parameters are averaged into the run's model; 1 for none.
        optimizer: Applied to the negative mean update as if it were a gradient.
        lr: The server's learning rate.
        beta1: Momentum (momentum, adam, yogi).
        beta2: Decay of the second moment (adam, yogi).
        tau: Added to the root of the second moment (adam, yogi).
        timeout: Seconds to wait for a round's replies.
    """

    rounds: Annotated[int, Interval(ge=1, le=1_000_000)]
    cohort: Annotated[float, Gt(0)]
    averaged: Annotated[int, Interval(ge=1, le=1_000)]
    optimizer: Literal["sgd", "momentum", "adam", "yogi"]
    lr: Annotated[float, Interval(ge=1e-9, le=1e6)]
    beta1: Annotated[float, Ge(0), Lt(1)]
    beta2: Annotated[float, Ge(0), Lt(1)]
    tau: Annotated[float, Interval(ge=1e-12, le=1e6)]
    timeout: Annotated[float, Gt(0)]
