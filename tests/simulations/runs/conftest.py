"""A whole run of both units, and another one to take files from."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def whole(simulated, given_noise, tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("runs"), *given_noise, "server.cohort=6").path


@pytest.fixture(scope="session")
def other(simulated, given_noise, tmp_path_factory):
    words = (*given_noise, "server.cohort=6", "server.rounds=1", "training.steps=2")
    return simulated(tmp_path_factory.mktemp("others"), *words).path


@pytest.fixture
def run(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "run"))
