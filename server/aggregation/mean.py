"""What the admitted updates say together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from privacy.clipping.updates import clipped_update, holding
from privacy.correlation.noise import CorrelatedNoise
from privacy.mechanisms.adaptive_gaussian import AdaptiveGaussian, vote
from privacy.mechanisms.cohort_gaussian import CohortGaussian
from privacy.mechanisms.dpsgd import release
from privacy.mechanisms.integer_gaussian import IntegerGaussian
from privacy.mechanisms.integer_sum import integer_sum
from privacy.noise import Source
from protocol.messages import Vector

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mean:
    """The mean of ``count`` updates, or what stands for it.

    Attributes:
        value: [trainable] float64.
        count: Updates in it.
        told: Further figures that were released with it, under the same ε.
    """

    value: Floats
    count: int
    told: Mapping[str, float] = field(default_factory=dict)


def protected_mean(
    deltas: Iterable[Vector],
    mechanism: CohortGaussian,
    *,
    size: int,
    source: Source,
    layers: Sequence[int] = (),
) -> Mean:
    """Returns the noisy sum of clipped ``deltas`` over the expected cohort.

    Guarantees:
      * each update moves the sum by at most ``mechanism.clip``, whatever it is;
      * the noise is the same whoever came, also where nobody did;
      * the divisor is the sampling's own, never the number that came.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        mechanism: What runs and is accounted.
        size: Length of an update.
        source: Secret draws of this round.
        layers: Lengths of the layers that are clipped alone; none clips updates as a whole.
    """
    total, count = _clipped_sum(deltas, mechanism.clip, size=size, layers=layers)
    released = release(
        total,
        deviation=mechanism.noise_multiplier * mechanism.clip,
        stream=source.stream("noise"),
    )
    expected = mechanism.sampling.rate * mechanism.sampling.devices
    return Mean(value=released / expected, count=count)


def adaptive_mean(
    deltas: Iterable[Vector],
    mechanism: AdaptiveGaussian,
    *,
    clip: float,
    size: int,
    source: Source,
    layers: Sequence[int] = (),
) -> Mean:
    """Returns the noisy mean at the clip of this round, and tells what share was within it.

    Guarantees:
      * one update moves the sum by at most ``clip`` and the count by ½, together no more than
        ``mechanism`` accounts for;
      * ``clip`` and the share ``unclipped`` come from noisy counts alone, so they may be told.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        mechanism: What runs and is accounted.
        clip: The clip of this round.
        size: Length of an update.
        source: Secret draws of this round.
        layers: As of ``protected_mean``.
    """
    total, votes, count = np.zeros(size), np.zeros(1), 0
    for delta in deltas:
        total += clipped_update(delta, clip, layers=layers)
        votes += vote(holding(delta, layers=layers), clip)
        count += 1
    noise = source.stream("noise")
    released = release(total, deviation=mechanism.update_noise * clip, stream=noise)
    counted = release(votes, deviation=mechanism.count_noise, stream=source.stream("count"))
    expected = mechanism.sampling.rate * mechanism.sampling.devices
    told = {"clip": clip, "unclipped": mechanism.unclipped(float(counted[0]))}
    return Mean(value=released / expected, count=count, told=told)


def correlated_mean(
    deltas: Iterable[Vector],
    noise: CorrelatedNoise,
    *,
    clip: float,
    deviation: float,
    expected: float,
    source: Source,
    layers: Sequence[int] = (),
) -> Mean:
    """Returns the sum of clipped ``deltas`` with the next row of correlated noise.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        noise: The noise of the run; each round takes one row, also where nobody came.
        clip: Largest norm of an update.
        deviation: Standard deviation of the noise before it is correlated.
        expected: The divisor, public: devices of a cohort.
        source: Secret draws of this round.
        layers: As of ``protected_mean``.
    """
    total, count = _clipped_sum(deltas, clip, size=noise.size, layers=layers)
    total += deviation * noise.draw(source.stream("noise"))
    return Mean(value=total / expected, count=count)


def integer_mean(
    deltas: Iterable[Vector], mechanism: IntegerGaussian, *, size: int, source: Source
) -> Mean:
    """Returns the noisy integer sum of ``deltas`` over the expected cohort.

    Args:
        deltas: Admitted updates, [trainable] float32 each.
        mechanism: What runs and is accounted.
        size: Length of an update.
        source: Secret draws of this round.
    """
    count = 0

    def counted() -> Iterator[Vector]:
        nonlocal count
        for delta in deltas:
            count += 1
            yield delta

    total = integer_sum(counted(), mechanism, size=size, stream=source.stream("noise"))
    expected = mechanism.sampling.rate * mechanism.sampling.devices
    return Mean(value=total / expected, count=count)


def mean_update(deltas: Iterable[Vector]) -> Mean | None:
    """Returns the mean of ``deltas``, each with the same weight, or None where there is none.

    Guarantees:
      * one update is held at a time, beside the float64 sum;
      * they are added in the order given: the same order gives the same bits;
      * no weight depends on a device; the denominator is the number of updates.

    Args:
        deltas: Admitted updates, [trainable] float32 each, in device order.
    """
    total: Floats | None = None
    count = 0
    for delta in deltas:
        total = delta.astype(np.float64) if total is None else np.add(total, delta, out=total)
        count += 1
    return None if total is None else Mean(value=total / count, count=count)


def _clipped_sum(
    deltas: Iterable[Vector], clip: float, *, size: int, layers: Sequence[int]
) -> tuple[Floats, int]:
    total = np.zeros(size)
    count = 0
    for delta in deltas:
        total += clipped_update(delta, clip, layers=layers)
        count += 1
    return total, count
