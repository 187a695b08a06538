"""Correlated noise as the settings ask for it: the strategy, and who may take part."""

import dataclasses

import pytest
from privacy_settings import MATRIX

from privacy.mechanisms.base.unit_settings import Federation
from privacy.mechanisms.correlated.banded_gaussian import BandedGaussian
from privacy.mechanisms.correlated.separated_gaussian import SeparatedGaussian
from privacy.mechanisms.correlated.settings import MatrixSettings, left
from protocol.rebuild import SettingError, rebuild, to_plain

LONG = Federation(devices=40, rounds=16, cohort=5.0)


@pytest.mark.parametrize(
    ("strategy", "participation"),
    [
        *((name, "separated") for name in ("banded", "sqrt", "buffered", "independent")),
        *((name, "bands") for name in ("banded", "sqrt", "independent")),
    ],
)
def test_a_promise_is_kept_after_all_rounds(strategy, participation):
    device = dataclasses.replace(MATRIX, strategy=strategy, participation=participation)
    found = device.protected(LONG)
    assert 1.9 < found.mechanism.epsilon(16) <= 2.0 * (1 + 1e-6)
    assert found.times == 16


def test_devices_rest_as_long_as_a_whole_cohort_stays_rested():
    assert MATRIX.derive(dataclasses.replace(LONG, devices=44)).separation == 8
    assert MATRIX.derive(dataclasses.replace(LONG, devices=4000)).separation == 16


def test_the_noise_of_the_run_keeps_as_many_rows_as_the_strategy_has_bands():
    def rows(device):
        return device.protected(LONG).release((1, 2))._noise

    buffered = dataclasses.replace(MATRIX, strategy="buffered")
    assert (rows(MATRIX).memory, rows(MATRIX).size) == (7, 3)
    assert (rows(buffered).memory, rows(buffered).size) == (2, 3)


def test_bands_are_as_many_as_leave_least_noise():
    device = dataclasses.replace(MATRIX, participation="bands")
    best = device.derive(LONG)
    assert isinstance(best, BandedGaussian)
    for bands in (1, 2, 4, 8):
        found = dataclasses.replace(device, separation=bands).derive(LONG)
        assert (found.bands, found.sampling.devices) == (bands, 40 // bands)
        assert found.sampling.rate == pytest.approx(5 * bands / 40)
        assert left(best, rounds=16) <= left(found, rounds=16)


def test_a_matrix_has_the_sensitivity_of_its_separation_in_its_noise():
    """Cohorts of 5 among 50 may rest ten rounds: more than the run has, so each comes once."""
    matrix = dataclasses.replace(MATRIX, epsilon=None, noise_multiplier=1.0)
    found = matrix.derive(Federation(devices=50, rounds=2, cohort=5.0))
    assert isinstance(found, SeparatedGaussian)
    assert (found.separation, found.participations) == (2, 1)
    assert found.sensitivity == pytest.approx(1.0)
    twice = dataclasses.replace(matrix, separation=2)
    found = twice.derive(Federation(devices=50, rounds=8, cohort=5.0))
    assert (found.separation, found.participations) == (2, 4)
    assert found.noise_multiplier == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("changes", "cohort", "message"),
    [
        (
            {"separation": 9},
            5.0,
            r"^privacy\.device\.separation=9 needs .* give 8: use at most",
        ),
        ({}, 0.5, r"^server\.cohort=0\.5 is no device in a round; raise it to 1"),
        (
            {"strategy": "buffered", "participation": "bands"},
            5.0,
            r"^privacy\.device\.strategy=buffered has no end to its columns",
        ),
        (
            {"participation": "bands", "largest_cohort": 3},
            5.0,
            r"^privacy\.device\.largest_cohort=3 is below server\.cohort=5; raise it",
        ),
        ({"delta": 0.025}, 5.0, r"^privacy\.device\.delta=0\.025 .* below 0\.025\.$"),
    ],
)
def test_what_the_population_or_the_strategy_cannot_give_is_refused(changes, cohort, message):
    device = dataclasses.replace(MATRIX, **changes)
    with pytest.raises(ValueError, match=message):
        device.protected(dataclasses.replace(LONG, cohort=cohort))


def test_a_cap_where_cohorts_have_one_size_is_refused():
    capped = dataclasses.replace(MATRIX, largest_cohort=9)
    assert capped.contradiction(cohort=5.0).startswith(
        "privacy.device.largest_cohort=9 has no effect with "
        "privacy.device.participation=separated"
    )
    assert dataclasses.replace(capped, participation="bands").contradiction(cohort=5.0) is None
    assert MATRIX.contradiction(cohort=5.0) is None


def test_neither_noise_nor_epsilon_is_refused():
    lacking = dataclasses.replace(MATRIX, epsilon=None)
    assert lacking.contradiction(cohort=5.0) == (
        "privacy.device.epsilon and privacy.device.noise_multiplier are both null; give one of "
        "them."
    )


@pytest.mark.parametrize("name", ["delta", "clip", "strategy", "buffers", "participation"])
def test_a_setting_that_the_mechanism_needs_cannot_be_null(name):
    plain = {**to_plain(MATRIX), name: None}
    with pytest.raises(SettingError, match=rf"^privacy\.device\.{name}=null"):
        rebuild(MatrixSettings, plain, at="privacy.device")
