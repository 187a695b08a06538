"""The random streams of a device: one for each purpose, so that no draw moves another's."""

import numpy as np

PRIVATE, PUBLIC = 1, 2
"""The populations: no stream of one occurs in the other."""

ROLL, TASTE, FEEDBACK, PICTURES = range(4)
"""What is drawn. Were two names equal, their draws would be."""


def stream(population: int, purpose: int, *, seed: int, device: int) -> np.random.Generator:
    """Returns a device's stream for one purpose: the same in any process and order."""
    return np.random.default_rng(np.random.SeedSequence((population, seed, device, purpose)))
