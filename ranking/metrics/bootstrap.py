"""Intervals that say how far a figure may be chance: resampled over devices and seeds."""

from dataclasses import dataclass

import numpy as np

from ranking.losses.places import Floats

RESAMPLES = 2_000
"""Resamples of one interval. The 2.5% quantile of so many normal means is off by 0.06 of their
standard deviation: √(0.025 · 0.975 / 2000) over the density 0.058 there; of 200 it would be
0.19. Fewer make two runs of one command differ in what they print."""

RESAMPLING_SEED = 0
"""Seed of the intervals that commands print: the same figures give the same interval."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A mean and the percentile interval around it.

    Attributes:
        mean: The mean of the values themselves.
        low: Lower end of the interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


def device_mean(
    values: Floats, *, level: float = 0.95, generator: np.random.Generator
) -> Estimate:
    """Returns the mean over devices with its percentile bootstrap interval (Efron 1979).

    Devices are resampled, not moments: moments of one device share a taste and would make the
    interval too narrow.

    The mean over the devices, and the (1 ± level) / 2 quantiles of the means of as many devices
    drawn with replacement. Two devices give means of 0, 1 or 2 with probability ¼, ½ and ¼:

    >>> found = device_mean(np.array([0.0, 2.0]), generator=np.random.default_rng(0))
    >>> found.low, found.mean, found.high
    (0.0, 1.0, 2.0)

    Args:
        values: [devices]; NaN for a device without signal, which is left out.
        level: Coverage of the interval.
        generator: Draws the resamples.

    Raises:
        ValueError: No device has a value.
    """
    return _crossed(values[None], level=level, generator=generator)


def paired_difference(
    a: Floats, b: Floats, *, level: float = 0.95, generator: np.random.Generator
) -> Estimate:
    """Returns the mean of ``a - b`` with its interval over seeds and devices.

    Seeds and devices are resampled independently of each other, crossed (Owen 2007), which
    errs on the side of a wide interval.

    Two seeds that differ by 2 and devices that do not differ: one resample in four has the
    lower seed alone.

    >>> a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [1.0, 2.0]])
    >>> found = paired_difference(a, b, generator=np.random.default_rng(0))
    >>> found.low, found.mean, found.high
    (0.0, 1.0, 2.0)

    Args:
        a: [seeds, devices]; NaN in any seed, here or in ``b``, leaves the device out.
        b: [seeds, devices] of the same seeds and devices.
        level: Coverage of the interval.
        generator: Draws the resamples.

    Raises:
        ValueError: The shapes differ, or no device has a value.
    """
    if a.shape != b.shape:
        raise ValueError(f"a pair is of the same seeds and devices, got {a.shape}, {b.shape}.")
    return _crossed(a - b, level=level, generator=generator)


def _crossed(values: Floats, *, level: float, generator: np.random.Generator) -> Estimate:
    kept = values[:, ~np.isnan(values).any(0)]
    if kept.size == 0:
        raise ValueError("no device has a value, so there is no mean.")
    seeds = _resampled(kept.shape[0], generator=generator)
    devices = _resampled(kept.shape[1], generator=generator)
    means = (seeds @ kept * devices).sum(-1) / kept.size
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(mean=float(kept.mean()), low=float(low), high=float(high))


def _resampled(count: int, *, generator: np.random.Generator) -> Floats:
    """[resamples, count] how often each is drawn, with replacement."""
    even = np.full(count, 1 / count)
    return generator.multinomial(count, even, size=RESAMPLES).astype(np.float64)
