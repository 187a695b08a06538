"""The training interface: devices in, updates out. One device is a cohort of one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from privacy.noise import Source
from protocol.messages import Vector, VisitTerms


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Examples:
    """A device's training moments, padded to the longest.

    Attributes:
        inputs: [moments, photos, d] embeddings, or [moments, photos, 3, side, side] float32
            pixels in [0, 1] where the encoder trains too.
        gains: [moments, photos] float32 ``2^feedback - 1``; 0 where padded.
        where: [moments, photos] bool; False where padded.
        numbers: [moments] int64 each moment's own number, which keys its draws.
    """

    inputs: Tensor
    gains: Tensor
    where: Tensor
    numbers: Tensor


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Visit:
    """One device's turn: what it trains on and where its secret draws come from."""

    examples: Examples
    source: Source


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trained:
    """What one visit gave.

    Attributes:
        delta: [trainable] float32 trained minus received parameters.
        non_finite: Per-moment gradients that counted as zero; it never leaves the device.
    """

    delta: Vector
    non_finite: int


class Engine(Protocol):
    """Trains devices from the same parameters, each on its own examples.

    Guarantees, for every step of a visit and given any parameters before it, finite or not:
      * what a moment contributes is a function of these parameters and the moment alone, bit
        for bit: no other moment, batch, thread or worker changes it (``client.isolation``);
      * adding or removing one moment moves the sum of a step, before noise, by at most
        ``clip`` times ``privacy.clipping.sensitivity.SENSITIVITY``;
      * the noise's standard deviation is noise multiplier · clip, whatever the library holds,
        also when no moment was drawn;
      * nothing is carried from one visit to the next.
    """

    def train(
        self, parameters: Vector, visits: Iterable[Visit], *, terms: VisitTerms
    ) -> Iterator[Trained]:
        """Yields one result per visit, in order.

        Args:
            parameters: [trainable] where every visit starts.
            visits: The devices' examples and secret draws.
            terms: The public terms.

        Raises:
            ValueError: ``parameters`` is of another length.
        """
        ...
