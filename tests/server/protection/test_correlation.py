import dataclasses

import pytest

from privacy.mechanisms.banded_gaussian import BandedGaussian
from privacy.settings import Device
from server.protection import correlation

DEVICE = dataclasses.replace(
    Device.none(),
    mechanism="matrix",
    epsilon=2.0,
    delta=1e-3,
    clip=0.5,
    strategy="banded",
    buffers=2,
    participation="separated",
)


@pytest.fixture
def long(settings):
    return dataclasses.replace(settings, rounds=16, cohort=5.0)


@pytest.mark.parametrize(
    ("strategy", "participation"),
    [
        *((name, "separated") for name in ("banded", "sqrt", "buffered", "independent")),
        *((name, "bands") for name in ("banded", "sqrt", "independent")),
    ],
)
def test_a_promise_is_kept_after_all_rounds(long, strategy, participation):
    device = dataclasses.replace(DEVICE, strategy=strategy, participation=participation)
    found = correlation.mechanism(device, long, devices=40)
    assert 1.9 < found.epsilon(16) <= 2.0 * (1 + 1e-6)


def test_devices_rest_as_long_as_a_whole_cohort_stays_rested(long):
    assert correlation.mechanism(DEVICE, long, devices=44).separation == 8
    assert correlation.mechanism(DEVICE, long, devices=4000).separation == 16


def test_the_noise_of_the_run_keeps_as_many_rows_as_the_strategy_has_bands(long):
    found = correlation.mechanism(DEVICE, long, devices=40)
    assert correlation.noise(DEVICE, found, rounds=16, size=3).memory == 7
    buffered = dataclasses.replace(DEVICE, strategy="buffered")
    found = correlation.mechanism(buffered, long, devices=40)
    assert correlation.noise(buffered, found, rounds=16, size=3).memory == 2


def test_bands_are_as_many_as_leave_least_noise(long):
    device = dataclasses.replace(DEVICE, participation="bands")
    best = correlation.mechanism(device, long, devices=40)
    assert isinstance(best, BandedGaussian)
    for bands in (1, 2, 4, 8):
        one = dataclasses.replace(device, separation=bands)
        found = correlation.mechanism(one, long, devices=40)
        assert (found.bands, found.sampling.devices) == (bands, 40 // bands)
        assert found.sampling.rate == pytest.approx(5 * bands / 40)
        assert correlation._error(best, rounds=16) <= correlation._error(found, rounds=16)


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
        ({"clip": None}, 5.0, r"^privacy\.device\.clip is null but privacy/device=matrix"),
    ],
)
def test_what_the_population_or_the_strategy_cannot_give_is_refused(
    long, changes, cohort, message
):
    device = dataclasses.replace(DEVICE, **changes)
    with pytest.raises(ValueError, match=message):
        correlation.mechanism(device, dataclasses.replace(long, cohort=cohort), devices=40)
