"""What the server does for the unit *device*, and where its secret draws come from."""

from collections.abc import Callable
from dataclasses import dataclass

from privacy.cohort_gaussian import CohortGaussian
from privacy.noise import SecureSource, SeededSource, Source
from server.unit_device import Mechanism


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """A mechanism of the server and its randomness.

    Attributes:
        mechanism: What is added up, noised and accounted.
        source: Secret draws of a round and attempt; a new attempt draws afresh.
    """

    mechanism: CohortGaussian
    source: Callable[[int, int], Source]


def protection(chosen: Mechanism | None, *, seed: int, secure: bool) -> Protection | None:
    """Returns what the server does for ``chosen``; None where devices do all or nothing.

    Args:
        chosen: The mechanism of the unit device.
        seed: The run's seed, from which the draws follow where not ``secure``.
        secure: Whether the operating system keys the draws.
    """
    if not isinstance(chosen, CohortGaussian):
        return None

    def source(number: int, attempt: int) -> Source:
        if secure:
            return SecureSource()
        return SeededSource(seed, "server", "round", number, "attempt", attempt)

    return Protection(mechanism=chosen, source=source)
