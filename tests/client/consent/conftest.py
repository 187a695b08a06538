"""A task, configurations of every kind of protection, and where their ledgers lie."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from client.consent.configured_floor import floor
from client.consent.device_ledger import device_ledger
from client.consent.operator import OperatorPolicy
from privacy.ledger.chain import examine
from privacy.mechanisms.independent.settings import GaussianSettings
from privacy.mechanisms.local_gaussian import LocalSettings
from protocol.messages import Task

OWN = 3


@pytest.fixture(scope="session")
def dpsgd(lab):
    """Half of the moments, σ = 1, two steps a visit, δ = 1e-5.

    ε is 4.85, 6.68, 8.11, 9.34 after 1, 2, 3, 4 visits.
    """
    return lab.dpsgd


@pytest.fixture(scope="session")
def local():
    """ε of three visits of noise 6, each of sensitivity 2: a Gaussian of √3 / 3."""
    return LocalSettings(
        epsilon=None,
        noise_multiplier=6.0,
        delta=1e-5,
        clip=2.0,
        max_participations=3,
    )


@pytest.fixture(scope="session")
def gaussian():
    """Noise that the server adds."""
    return GaussianSettings(
        epsilon=None,
        noise_multiplier=1.0,
        delta=1e-4,
        clip=2.0,
        clipping="whole",
        numbers="float64",
        largest_cohort=None,
        noise_cohort=None,
        noise_population=None,
    )


@pytest.fixture(scope="session")
def text(lab, dpsgd):
    """Writes a configuration: DP-SGD on the device unless another is asked for."""

    def made(*, example=dpsgd, rate=0.5, steps=2, **settings):
        training = replace(lab.training, rate=rate, steps=steps)
        return lab.configuration(training=training, example=example, **settings)

    return made


@pytest.fixture(scope="session")
def two_units(text, local):
    """Writes one that hides a moment and also the whole library, on the device."""
    return lambda **settings: text(**{"device": local} | settings)


@pytest.fixture
def task(lab):
    return Task(
        round=4,
        attempt=1,
        parameters=np.zeros(3, np.float32),
        digest="abc",
        frozen=None,
        terms=lab.terms(),
    )


@pytest.fixture
def folder_of(tmp_path):
    """Where the ledgers of a configuration are."""
    return lambda written: tmp_path / hashlib.sha256(written.encode()).hexdigest()


@pytest.fixture
def visit(task, tmp_path):
    """One visit; by default the device remembers nothing but its ledger."""

    def made(written, *, device=OWN, remembered=0, **visit):
        with device_ledger(tmp_path, written, device=device) as ledger:
            visits = max(remembered, ledger.visits) + 1
            ledger.charge(replace(task, **visit), visits=visits)
        return visits

    return made


@pytest.fixture
def spent(folder_of):
    """The visits that a file alone says, with what is torn."""

    def found(written, unit, *, device=OWN):
        return examine(folder_of(written), unit).spent.of(device)

    return found


@pytest.fixture(scope="session")
def floor_of(text):
    """The floor of such a configuration under a policy."""

    def made(policy=None, **configuration):
        return floor(text(**configuration), policy or OperatorPolicy())

    return made
