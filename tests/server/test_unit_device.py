import dataclasses

import pytest

from privacy.cohort_gaussian import CohortGaussian
from privacy.local_gaussian import LocalGaussian
from privacy.settings import Device
from server.unit_device import mechanism

CENTRAL = dataclasses.replace(
    Device.none(), mechanism="gaussian", noise_multiplier=1.0, delta=1e-3, clip=0.5
)
LOCAL = dataclasses.replace(
    Device.none(), mechanism="local", epsilon=4.0, delta=1e-5, clip=0.5, max_participations=4
)


def test_no_mechanism_is_none(settings):
    assert mechanism(Device.none(), settings, devices=50) is None


def test_the_sampling_is_that_of_the_server(settings):
    chosen = mechanism(CENTRAL, settings, devices=50)
    assert isinstance(chosen, CohortGaussian)
    assert (chosen.sampling.rate, chosen.sampling.cap) == (0.1, 19)
    assert (chosen.noise_multiplier, chosen.clip, chosen.delta) == (1.0, 0.5, 1e-3)


def test_a_promise_is_kept_after_all_rounds(settings):
    promised = dataclasses.replace(CENTRAL, noise_multiplier=None, epsilon=2.0)
    assert 1.9 < mechanism(promised, settings, devices=50).epsilon(settings.rounds) <= 2.0


def test_a_local_promise_is_kept_after_all_visits(settings):
    chosen = mechanism(LOCAL, settings, devices=50)
    assert isinstance(chosen, LocalGaussian)
    assert chosen.epsilon(4) == pytest.approx(4.0, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delta": 0.02}, r"^privacy\.device\.delta=0\.02 .* below 0\.02\.$"),
        (
            {"largest_cohort": 4},
            r"^privacy\.device\.largest_cohort=4 is below server\.coho",
        ),
        ({"clip": None}, r"^privacy\.device\.clip is null .*privacy/device=gaussian needs it"),
    ],
)
def test_what_promises_nothing_is_refused_with_the_way_out(settings, changes, message):
    with pytest.raises(ValueError, match=message):
        mechanism(dataclasses.replace(CENTRAL, **changes), settings, devices=50)
