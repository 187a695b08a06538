"""No protection of a unit, for comparison."""

from dataclasses import dataclass
from typing import Literal

from privacy.mechanisms.base.unit_settings import DeviceSettings, ExampleSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class NoExample(ExampleSettings):
    """Moments are neither clipped nor hidden."""

    protects = False
    mechanism: Literal["none"] = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class NoDevice(DeviceSettings):
    """Whether a device took part is not hidden."""

    protects = False
    mechanism: Literal["none"] = "none"
