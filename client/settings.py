"""How a device computes what it is asked."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval

Accelerator = Literal["cpu", "cuda", "mps", "auto"]


Memory = Annotated[int, Interval(ge=416, le=1_000_000)]
"""MB of a process's working set: of less nothing is left beside a batch in training."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineChoice:
    """The implementation that trains: every one gives the same updates.

    Attributes:
        name: ``bookkeeping`` and ``vmap`` train many devices at once, the former without a
            gradient for every moment; ``opacus`` trains one device after another; ``alone``
            is book-keeping of one moment at a time, for machines where the rounding of one
            depends on the others in its batch.
    """

    name: Literal["bookkeeping", "vmap", "opacus", "alone"]
