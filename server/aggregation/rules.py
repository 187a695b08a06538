"""The rules that make one mean update of the admitted ones, by their names."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from privacy.mechanisms.base.unit_settings import DeviceSettings
from protocol.choices import OneOf
from protocol.messages import Vector
from protocol.rebuild import SettingError
from server.aggregation.uniform_mean import UniformMean


class AggregationRule(Protocol):
    """A rule with its settings."""

    @property
    def rule(self) -> str:
        """The rule's name."""
        ...

    @property
    def sensitivity(self) -> float | None:
        """How many clips one update moves what the server's mechanisms release in its place.

        They release the sum of clipped updates over the expected cohort, which stands for
        ``mean`` alone: for that it is 1. None where nothing bounds the rule. Without a
        mechanism of the server nothing here is a promise.
        """
        ...

    def aggregate(self, deltas: Iterable[Vector]) -> NDArray[np.float64] | None:
        """Returns one mean update of the admitted ones, or None where there is none.

        Where the server protects no devices, this is what it releases. Devices refuse
        parameters a hundred times beyond what mean updates as long as the longest come to.

        Args:
            deltas: Admitted updates, [trainable] float32 each, in device order. A reply is
                judged when its update is taken: all are to be taken, each once.

        Returns:
            [trainable] float64.
        """
        ...


RULES: Mapping[str, type[Any]] = MappingProxyType({"mean": UniformMean})

AnyRule = Annotated[AggregationRule, OneOf("rule", RULES)]
"""The section ``server.aggregation``: one of them, by its name."""


def check_protected(rule: AggregationRule, *, device: DeviceSettings) -> None:
    """Refuses a rule that is no mean where the server protects whole devices.

    Args:
        rule: What is to be released.
        device: What protects whole devices.

    Raises:
        SettingError: The noise of the mechanism would hide nothing that is bounded, or what is
            released would be another rule's.
    """
    if device.at_server and rule.sensitivity is not None and rule.rule != UniformMean().rule:
        raise SettingError(
            f"server.aggregation.rule={rule.rule} would be replaced by the noisy mean that "
            f"privacy/device={device.mechanism} releases; take server/aggregation=mean, or "
            "privacy/device=none or local."
        )
    if rule.sensitivity is None and device.at_server:
        raise SettingError(
            f"server.aggregation.rule={rule.rule} has no bound on how far one device moves its "
            f"result, which privacy/device={device.mechanism} needs; take "
            "server/aggregation=mean, or privacy/device=none or local."
        )
