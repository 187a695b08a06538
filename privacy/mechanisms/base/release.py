"""Who is asked and what is released of a round, where the server protects whole devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from privacy.clipping.updates import clipped_update

if TYPE_CHECKING:
    from privacy.noise import Source
    from privacy.sampling.capped import CappedPoissonSampling

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Update = NDArray[np.float32]
State = Mapping[str, NDArray[Any]]
"""What a release remembers from round to round, by name: for a checkpoint."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mean:
    """The mean of ``count`` updates, or what stands for it.

    Attributes:
        value: [trainable] float64.
        count: Updates in it.
        released: Further figures that were released with it, under the same ε.
    """

    value: Floats
    count: int
    released: Mapping[str, float] = field(default_factory=dict)


class Release(Protocol):
    """One mechanism with what it remembers from round to round.

    Attributes:
        repeatable: Whether a round that was released may be drawn anew, with fresh noise, from
            an older state: it then costs one more round. Noise that is correlated with that of
            earlier rounds must not be: no ε is known for the same row drawn twice.
    """

    repeatable: ClassVar[bool]

    def state(self) -> State:
        """Returns a copy of all that later rounds depend on, but for their secret draws."""
        ...

    def restore(self, state: State) -> None:
        """Goes on from what ``state`` returned.

        Raises:
            ValueError: It is the state of another mechanism, or of another size.
        """
        ...

    def cohort(self, source: Source) -> Numbers:
        """Returns the devices of the next round, ascending."""
        ...

    def mean(self, deltas: Iterable[Update], *, source: Source) -> Mean:
        """Returns what is released of a round, also where nobody came."""
        ...


class PoissonCohorts:
    """Cohorts by secret coins, noise that each round draws by itself: nothing is remembered."""

    repeatable: ClassVar[bool] = True

    def __init__(self, sampling: CappedPoissonSampling) -> None:
        self._sampling = sampling

    def cohort(self, source: Source) -> Numbers:
        """Draws every device by its own secret coin."""
        return self._sampling.draw(stream=source.stream("cohort"))

    def state(self) -> State:
        """Returns nothing: no round depends on an earlier one's draws."""
        return {}

    def restore(self, state: State) -> None:
        """Goes on from nothing."""
        check_names(state, ())


def check_names(state: State, names: Sequence[str]) -> None:
    """Refuses the state of another mechanism.

    Raises:
        ValueError: It has other names.
    """
    if set(state) != set(names):
        raise ValueError(
            f"a state of {sorted(state)} must be one of {sorted(names)}; resume with the "
            "mechanism that the run began with."
        )


def clipped_sum(
    deltas: Iterable[Update], clip: float, *, size: int, layers: Sequence[int]
) -> tuple[Floats, int]:
    """Returns the sum of clipped updates, and how many there were.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        clip: Largest norm of an update.
        size: Length of an update.
        layers: Lengths of the layers that are clipped alone; none clips updates as a whole.
    """
    total = np.zeros(size)
    count = 0
    for delta in deltas:
        total += clipped_update(delta, clip, layers=layers)
        count += 1
    return total, count
