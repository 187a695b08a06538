"""Who takes part in a round: every device by its own coin."""

import hashlib
import json

import numpy as np
from numpy.typing import NDArray


def draw(devices: int, *, rate: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Returns a Poisson sample of the device numbers 0 … ``devices`` − 1.

    Each device is in it with probability ``rate``, independently of all others: the size is
    drawn from the binomial distribution and then a uniform subset of that size, which is the
    same distribution. Time and memory grow with the cohort (and stay below those of a list of
    10,000 devices or 50 cohorts), not with the population.

    Args:
        devices: Devices in the population.
        rate: Probability of each, from 0 to 1.
        generator: Source of the draw.

    Returns:
        [cohort] int64, ascending; an empty cohort is a legal draw.
    """
    size = generator.binomial(devices, rate)
    cohort = generator.choice(devices, size=size, replace=False, shuffle=False)
    return np.sort(cohort.astype(np.int64, copy=False))


def generator(seed: int, *, round_number: int, attempt: int) -> np.random.Generator:
    """Returns the generator of one round's cohort, a function of its arguments alone.

    The draw is predictable from the seed. No accountant takes credit for it: the unit of
    privacy is the example, and what protects it is drawn on the device.
    """
    name = json.dumps([seed, round_number, attempt, "cohort"]).encode()
    entropy = int.from_bytes(hashlib.sha256(name).digest(), "big")
    return np.random.default_rng(np.random.SeedSequence(entropy))
