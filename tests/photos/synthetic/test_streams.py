"""One stream for each purpose of each device."""

import numpy as np
import pytest

from photos.synthetic.streams import FEEDBACK, PICTURES, PRIVATE, PUBLIC, ROLL, TASTE, stream


def _first(population: int, purpose: int, *, seed: int, device: int) -> float:
    return float(stream(population, purpose, seed=seed, device=device).uniform())


def test_a_stream_is_numpys_own_of_population_seed_device_and_purpose():
    expected = np.random.default_rng([1, 4, 7, 3]).uniform()
    assert _first(PRIVATE, PICTURES, seed=4, device=7) == expected


@pytest.mark.parametrize(
    "other",
    [
        (PUBLIC, ROLL, 4, 7),
        (PRIVATE, TASTE, 4, 7),
        (PRIVATE, FEEDBACK, 4, 7),
        (PRIVATE, ROLL, 5, 7),
        (PRIVATE, ROLL, 4, 8),
        (PRIVATE, ROLL, 7, 4),
    ],
)
def test_no_two_populations_purposes_seeds_or_devices_share_a_stream(other):
    population, purpose, seed, device = other
    ours = _first(PRIVATE, ROLL, seed=4, device=7)
    assert _first(population, purpose, seed=seed, device=device) != ours
