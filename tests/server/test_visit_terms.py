import dataclasses
import math

import privacy_settings
import pytest
from privacy_settings import DPSGD, RUN
from privacy_settings import VISIT as TRAINING

from privacy.mechanisms.base.unprotected import NoDevice, NoExample
from privacy.mechanisms.moments.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.moments.settings import DpSgdSettings
from privacy.protection.derivation import Protection
from privacy.protection.settings import Privacy
from protocol.rebuild import SettingError, rebuild, to_plain
from server.visit_terms import visit_terms

NONE = NoExample()
LOCAL = dataclasses.replace(privacy_settings.LOCAL, epsilon=None, noise_multiplier=3.0)


def terms_of(example, device=None):
    privacy = Privacy(noise="secure", claim=False, example=example, device=device or NoDevice())
    return visit_terms(TRAINING, privacy, Protection.of(privacy, visit=TRAINING, run=RUN))


def mechanism(example):
    return example.protected(TRAINING).mechanism


def test_without_a_mechanism_nothing_is_clipped_noised_or_limited():
    terms = terms_of(NONE)
    assert NONE.protected(TRAINING) is None
    assert (terms.clip, terms.noise_multiplier, terms.max_participations) == (math.inf, 0, 0)
    assert (terms.update_clip, terms.update_noise) == (math.inf, 0)
    assert not terms.private
    assert (terms.steps, terms.rate, terms.lr) == (3, 0.25, 0.5)


def test_the_denominator_is_the_rate_times_the_public_size():
    assert terms_of(NONE).denominator == terms_of(DPSGD).denominator == 10.0


def test_calibrated_noise_keeps_the_promise_after_all_visits_and_hardly_more():
    terms = terms_of(DPSGD)
    chosen = mechanism(DPSGD)
    assert terms.private
    assert (terms.clip, terms.max_participations) == (2.0, 10)
    assert terms.noise_multiplier == chosen.noise_multiplier
    assert 7.8 < chosen.epsilon(10) <= 8.0


def test_the_mechanism_is_that_of_the_terms():
    chosen, terms = mechanism(DPSGD), terms_of(DPSGD)
    assert (chosen.steps, chosen.sampling.rate, chosen.clip, chosen.delta) == (
        terms.steps,
        terms.rate,
        terms.clip,
        1e-5,
    )


def test_integers_are_asked_for_where_they_are_configured_at_nearly_the_same_noise():
    integers = dataclasses.replace(DPSGD, numbers="integers")
    asked, usual = terms_of(integers), terms_of(DPSGD)
    assert asked.integers
    assert not usual.integers
    assert not terms_of(NONE).integers
    assert usual.noise_multiplier < asked.noise_multiplier < usual.noise_multiplier * (1 + 1e-6)
    assert isinstance(mechanism(integers), IntegerDpSgd)
    assert mechanism(integers).epsilon(10) <= 8.0


@pytest.mark.parametrize("epsilon", [None, 8.0])
def test_a_noise_multiplier_that_is_given_is_used(epsilon):
    given = dataclasses.replace(DPSGD, epsilon=epsilon, noise_multiplier=1.5)
    assert terms_of(given).noise_multiplier == 1.5


def test_a_device_that_hides_itself_clips_and_adds_its_own_noise():
    terms = terms_of(NONE, LOCAL)
    assert terms.private
    assert (terms.update_clip, terms.update_noise, terms.max_participations) == (0.5, 3.0, 4)
    assert (terms.clip, terms.noise_multiplier) == (math.inf, 0)


def test_of_two_limits_of_visits_the_smaller_holds():
    assert terms_of(DPSGD, LOCAL).max_participations == 4
    fewer = dataclasses.replace(DPSGD, max_participations=3)
    assert terms_of(fewer, LOCAL).max_participations == 3


def test_visits_end_before_the_budget_is_passed():
    fixed = dataclasses.replace(DPSGD, epsilon=2.0, noise_multiplier=1.5)
    visits = terms_of(fixed).max_participations
    assert 1 <= visits < 10
    assert mechanism(fixed).epsilon(visits) <= 2.0 < mechanism(fixed).epsilon(visits + 1)


@pytest.mark.parametrize(
    ("name", "clipping", "clip"),
    [
        ("independent", "whole", 0.5),
        ("independent", "layers", math.inf),
        ("adaptive", "whole", math.inf),
    ],
)
def test_a_device_clips_for_the_server_where_one_clip_holds_for_all(
    at_server, name, clipping, clip
):
    device = dataclasses.replace(getattr(at_server, name), clip=0.5, clipping=clipping)
    terms = terms_of(NONE, device)
    assert terms.private
    assert (terms.update_clip, terms.update_noise, terms.max_participations) == (clip, 0, 0)


def test_neither_noise_nor_epsilon_is_refused():
    lacking = dataclasses.replace(DPSGD, epsilon=None)
    assert lacking.contradiction(cohort=5.0) == (
        "privacy.example.epsilon and privacy.example.noise_multiplier are both null; give one "
        "of them."
    )
    with pytest.raises(ValueError, match=r"^privacy\.example\.epsilon and .* are both null"):
        terms_of(lacking)


@pytest.mark.parametrize("name", ["delta", "clip", "numbers", "max_participations"])
def test_a_setting_that_the_mechanism_needs_cannot_be_null(name):
    plain = {**to_plain(DPSGD), name: None}
    with pytest.raises(SettingError, match=rf"^privacy\.example\.{name}=null"):
        rebuild(DpSgdSettings, plain, at="privacy.example")
