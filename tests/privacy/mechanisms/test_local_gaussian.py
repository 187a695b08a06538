"""Noise on the device: its figures, and as the settings ask for it."""

import dataclasses

import pytest
from privacy_settings import LOCAL, RUN

from privacy.mechanisms.local_gaussian import LocalGaussian, LocalSettings, least_noise
from protocol.rebuild import SettingError, rebuild, to_plain


def test_local_noise_is_that_of_twice_the_clip():
    found = [least_noise(e, participations=1, delta=1e-5) for e in (1, 2, 4, 8)]
    assert found == pytest.approx([7.46, 3.99, 2.16, 1.20], abs=5e-3)


def test_local_epsilon_grows_as_the_root_of_the_visits():
    nine = LocalGaussian(noise_multiplier=6.0, clip=1.0, delta=1e-5)
    one = LocalGaussian(noise_multiplier=2.0, clip=1.0, delta=1e-5)
    assert nine.epsilon(9) == pytest.approx(one.epsilon(1))
    assert one.epsilon(1) == pytest.approx(4.377178, abs=1e-5)
    assert one.epsilon(0) == 0


def test_a_local_promise_is_kept_after_all_visits():
    found = LOCAL.protected(RUN)
    assert isinstance(found.mechanism, LocalGaussian)
    assert found.mechanism.epsilon(4) == pytest.approx(4.0, rel=1e-6)
    assert found.times == 4


def test_a_device_declines_before_the_visit_that_would_pass_the_budget():
    fixed = dataclasses.replace(LOCAL, noise_multiplier=3.0, max_participations=40)
    found = fixed.protected(RUN)
    assert 1 <= found.times < 40
    assert (
        found.mechanism.epsilon(found.times) <= 4.0 < found.mechanism.epsilon(found.times + 1)
    )


def test_a_delta_that_would_publish_a_device_is_refused():
    with pytest.raises(ValueError, match=r"^privacy\.device\.delta=0\.02 .* below 0\.02\.$"):
        dataclasses.replace(LOCAL, delta=0.02).protected(RUN)


@pytest.mark.parametrize("name", ["delta", "clip", "max_participations"])
def test_a_setting_that_the_mechanism_needs_cannot_be_null(name):
    plain = {**to_plain(LOCAL), name: None}
    with pytest.raises(SettingError, match=rf"^privacy\.device\.{name}=null"):
        rebuild(LocalSettings, plain, at="privacy.device")
