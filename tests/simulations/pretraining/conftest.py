"""The public moments of two devices, as small photos."""

import pytest

from simulations.pretraining.public_moments import gather

SMALL = 16  # pixels of a side


@pytest.fixture(scope="session")
def moments():
    return gather(side=SMALL, seed=3, devices=range(2))
