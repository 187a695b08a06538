"""The server optimizers' settings, and how far each moves: a device bounds parameters by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, Protocol

from annotated_types import Ge, Interval, Lt

from protocol.choices import OneOf
from protocol.settings import LEAST_RATE

LearningRate = Annotated[float, Interval(ge=LEAST_RATE, le=1e6)]
Decay = Annotated[float, Ge(0), Lt(1)]
Tau = Annotated[float, Interval(ge=1e-12, le=1e6)]


class Optimizer(Protocol):
    """One optimizer's settings; the server has its update rule."""

    @property
    def lr(self) -> float:
        """The server's learning rate."""
        ...

    def farthest(self, mean: float) -> float:
        """Returns how far one step goes at most, in L2, whatever came before it.

        Args:
            mean: Largest L2 norm of this mean update and of all before it.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Sgd:
    """The mean update is added.

    Attributes:
        name: The optimizer.
        lr: The server's learning rate.
    """

    name: Literal["sgd"] = "sgd"
    lr: LearningRate

    def farthest(self, mean: float) -> float:
        """Returns the learning rate times ``mean``."""
        return self.lr * mean


@dataclass(frozen=True, kw_only=True, slots=True)
class Momentum:
    """FedAvgM: a decaying sum of mean updates is added.

    Attributes:
        name: The optimizer.
        lr: The server's learning rate.
        beta1: What a round leaves of the sum of those before it.
    """

    name: Literal["momentum"] = "momentum"
    lr: LearningRate
    beta1: Decay

    def farthest(self, mean: float) -> float:
        """Returns the learning rate times a sum without end of means of one direction."""
        return self.lr * mean / (1 - self.beta1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Adam:
    """FedAdam: each parameter has a pace of its own.

    Attributes:
        name: The optimizer.
        lr: The server's learning rate.
        beta1: Decay of the first moment.
        beta2: Decay of the second moment.
        tau: Added to the root of the second moment.
    """

    name: Literal["adam"] = "adam"
    lr: LearningRate
    beta1: Decay
    beta2: Decay
    tau: Tau

    def farthest(self, mean: float) -> float:
        """Returns that of a second moment of zero: no first moment is longer than ``mean``."""
        return self.lr * mean / self.tau


@dataclass(frozen=True, kw_only=True, slots=True)
class Yogi:
    """FedYogi: FedAdam with a second moment that falls more slowly.

    Attributes:
        name: The optimizer.
        lr: The server's learning rate.
        beta1: Decay of the first moment.
        beta2: How little one round moves the second moment.
        tau: Added to the root of the second moment.
    """

    name: Literal["yogi"] = "yogi"
    lr: LearningRate
    beta1: Decay
    beta2: Decay
    tau: Tau

    def farthest(self, mean: float) -> float:
        """Returns that of a second moment of zero: no first moment is longer than ``mean``."""
        return self.lr * mean / self.tau


OPTIMIZERS: Mapping[str, type[Any]] = MappingProxyType(
    {"sgd": Sgd, "momentum": Momentum, "adam": Adam, "yogi": Yogi}
)

AnyOptimizer = Annotated[Optimizer, OneOf("name", OPTIMIZERS)]
"""The section ``server.optimizer``: one of them, by its name."""
