"""How a device computes what it is asked."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """The implementation that trains: every one gives the same updates.

    Attributes:
        name: ``opacus`` trains one device after another with Opacus.
    """

    name: Literal["opacus"]
