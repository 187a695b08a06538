"""Independent noise at the server as the settings ask for it."""

import dataclasses

import pytest
from privacy_settings import GAUSSIAN, RUN

from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.independent.integer_gaussian import IntegerGaussian
from privacy.mechanisms.independent.settings import GaussianSettings
from protocol.rebuild import SettingError, rebuild, to_plain

CENTRAL = dataclasses.replace(GAUSSIAN, epsilon=None, noise_multiplier=1.0)
KINDS = {"float64": CohortGaussian, "integers": IntegerGaussian}


@pytest.mark.parametrize("numbers", KINDS)
def test_the_sampling_is_that_of_the_server(numbers):
    found = dataclasses.replace(CENTRAL, numbers=numbers).protected(RUN).mechanism
    assert isinstance(found, KINDS[numbers])
    assert (found.sampling.rate, found.sampling.cap) == (0.1, 26)
    assert (found.noise_multiplier, found.clip, found.delta) == (1.0, 0.5, 1e-3)


@pytest.mark.parametrize("numbers", KINDS)
def test_a_promise_is_kept_after_all_rounds(numbers):
    promised = dataclasses.replace(CENTRAL, noise_multiplier=None, epsilon=2.0, numbers=numbers)
    found = promised.protected(RUN)
    assert 1.9 < found.mechanism.epsilon(RUN.rounds) <= 2.0
    assert (found.times, found.remarks) == (RUN.rounds, ())


@pytest.mark.parametrize("numbers", KINDS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"delta": 0.02}, r"^privacy\.device\.delta=0\.02 .* below 0\.02\.$"),
        (
            {"largest_cohort": 4},
            r"^privacy\.device\.largest_cohort=4 is below server\.coho",
        ),
    ],
)
def test_what_promises_nothing_is_refused_with_the_way_out(numbers, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CENTRAL, numbers=numbers, **changes).protected(RUN)


@pytest.mark.parametrize("name", ["delta", "clip", "clipping", "numbers"])
def test_a_setting_that_the_mechanism_needs_cannot_be_null(name):
    plain = {**to_plain(CENTRAL), name: None}
    with pytest.raises(SettingError, match=rf"^privacy\.device\.{name}=null"):
        rebuild(GaussianSettings, plain, at="privacy.device")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"noise_multiplier": None},
            "privacy.device.epsilon and privacy.device.noise_multiplier are both null",
        ),
        (
            {"noise_multiplier": 0.0, "epsilon": 2.0},
            "privacy.device.noise_multiplier=0 keeps no privacy.device.epsilon=2",
        ),
        (
            {"numbers": "integers", "clipping": "layers"},
            "privacy.device.clipping=layers is not for privacy.device.numbers=integers",
        ),
        (
            {"numbers": "integers", "noise_cohort": 50.0, "noise_population": 500},
            "privacy.device.noise_cohort=50 is not for privacy.device.numbers=integers",
        ),
    ],
)
def test_settings_of_which_one_forbids_another_are_refused(changes, message):
    found = dataclasses.replace(CENTRAL, **changes).contradiction(cohort=5.0)
    assert found.startswith(message)
    assert CENTRAL.contradiction(cohort=5.0) is None


@pytest.mark.parametrize("numbers", KINDS)
def test_the_server_stops_before_the_round_that_would_pass_the_budget(numbers):
    fixed = dataclasses.replace(CENTRAL, epsilon=1.5, numbers=numbers)
    found = fixed.protected(dataclasses.replace(RUN, rounds=40))
    assert 1 < found.times < 40
    assert found.mechanism.epsilon(found.times) <= 1.5
    assert found.mechanism.epsilon(found.times + 1) > 1.5
    assert found.remarks == ("stops there: one more of the 40 rounds would pass the budget",)
