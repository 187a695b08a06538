"""A run to be planned, of which whole devices are protected."""

import pytest

from simulations.configuration.hydra_bridge import compose

PLANNED = (
    "privacy/example=none",
    "privacy/device=gaussian",
    "photos.devices=1000",
    "server.cohort=50",
    "server.rounds=40",
    "privacy.device.epsilon=2",
)


@pytest.fixture(scope="session")
def planned():
    """What is typed to plan the run."""
    return PLANNED


@pytest.fixture(scope="session")
def config():
    return compose(PLANNED)
