"""A run of few devices with the noise of a larger federation on its mean."""

import dataclasses

import pytest
from privacy_settings import ADAPTIVE, GAUSSIAN, RUN

LARGER = {"noise_cohort": 50.0, "noise_population": 5000}
MEANT = dataclasses.replace(GAUSSIAN, **LARGER)
ALSO_MEANT = dataclasses.replace(ADAPTIVE, **LARGER)
BOTH = pytest.mark.parametrize("meant", [MEANT, ALSO_MEANT], ids=["gaussian", "adaptive"])


@BOTH
def test_a_larger_federation_has_the_same_noise_on_its_mean_and_an_epsilon_of_its_own(meant):
    found = meant.protected(RUN)
    own, larger = found.mechanism, found.extrapolated.mechanism
    assert larger.noise_multiplier / 50 == pytest.approx(own.noise_multiplier / 5)
    assert (larger.sampling.rate, larger.sampling.devices) == (0.01, 5000)
    assert (found.extrapolated.cohort, found.extrapolated.devices) == (50, 5000)
    assert larger.delta == pytest.approx(1 / 50_000)
    assert 1.9 < larger.epsilon(RUN.rounds) <= 2.0
    assert own.epsilon(RUN.rounds) > larger.epsilon(RUN.rounds)
    assert (own.sampling.devices, own.sampling.rate, own.delta) == (50, 0.1, 1e-3)


def test_noise_that_is_given_is_this_runs_own():
    given = dataclasses.replace(MEANT, epsilon=None, noise_multiplier=1.5).protected(RUN)
    assert given.mechanism.noise_multiplier == 1.5
    assert given.extrapolated.mechanism.noise_multiplier == pytest.approx(15.0)


def test_no_larger_federation_is_extrapolated_where_none_is_meant():
    assert GAUSSIAN.protected(RUN).extrapolated is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"noise_population": None},
            "privacy.device.noise_cohort and privacy.device.noise_pop",
        ),
        ({"noise_cohort": None}, "privacy.device.noise_cohort and privacy.device.noise_popula"),
        (
            {"noise_cohort": 4.0},
            "privacy.device.noise_cohort=4 must lie between server.cohort=5",
        ),
        ({"noise_cohort": 5001.0}, "privacy.device.noise_cohort=5001 must lie between "),
    ],
)
@BOTH
def test_half_of_a_federation_or_a_smaller_one_is_refused(meant, changes, message):
    found = dataclasses.replace(meant, **changes).contradiction(cohort=5.0)
    assert found.startswith(message)
    assert meant.contradiction(cohort=5.0) is None
