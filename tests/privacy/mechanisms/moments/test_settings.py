"""DP-SGD as the settings ask for it, in real numbers and in integers."""

from dataclasses import replace

import pytest
from privacy_settings import DPSGD, VISIT

from privacy.mechanisms.base.limits import MOST_INTEGER_NOISE
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.moments.integer_dpsgd import IntegerDpSgd
from privacy.mechanisms.moments.settings import KINDS, DpSgdSettings
from protocol.rebuild import SettingError, rebuild, to_plain

each_kind = pytest.mark.parametrize("numbers", KINDS)


def test_the_setting_names_the_mechanism():
    assert (KINDS["float64"], KINDS["integers"]) == (DpSgd, IntegerDpSgd)


@each_kind
def test_a_mechanism_has_the_rate_and_the_steps_of_a_visit(numbers):
    asked = replace(DPSGD, numbers=numbers, epsilon=None, noise_multiplier=1.5)
    found = asked.derive(VISIT)
    assert type(found) is KINDS[numbers]
    assert (found.sampling.rate, found.steps) == (0.25, 3)
    assert (found.noise_multiplier, found.clip, found.delta) == (1.5, 2.0, 1e-5)


@each_kind
def test_a_promise_is_kept_after_all_visits_and_nearly_used_up(numbers):
    found = replace(DPSGD, numbers=numbers).protected(VISIT)
    assert 7.8 < found.mechanism.epsilon(10) <= 8.0
    assert (found.times, found.remarks, found.release) == (10, (), None)


@each_kind
def test_a_device_declines_before_the_visit_that_would_pass_the_budget(numbers):
    asked = replace(DPSGD, numbers=numbers, epsilon=3.0, noise_multiplier=1.5)
    found = asked.protected(VISIT)
    assert 1 <= found.times < 10
    epsilon = found.mechanism.epsilon
    assert epsilon(found.times) <= 3.0 < epsilon(found.times + 1)


def test_noise_that_integers_cannot_draw_is_refused_with_both_ways_out():
    most = replace(DPSGD, noise_multiplier=float(MOST_INTEGER_NOISE), numbers="integers")
    assert most.contradiction(cohort=5.0) is None
    more = replace(most, noise_multiplier=257.0)
    assert more.contradiction(cohort=5.0) == (
        "privacy.example.noise_multiplier=257 is more than the 256 that "
        "privacy.example.numbers=integers can draw; lower it, or use float64."
    )
    assert replace(more, numbers="float64").contradiction(cohort=5.0) is None


def test_a_budget_is_refused_like_any_other():
    neither = replace(DPSGD, epsilon=None)
    assert neither.contradiction(cohort=5.0) == neither.budget_contradiction() is not None


def test_the_longest_sum_is_every_moment_at_its_clip_and_the_noise():
    """A clip of 2, 100 moments, noise of 3 clips over a spread of 5: 2 · (100 + 15)."""
    assert DPSGD.longest_sum(100.0, noise=3.0, spread=5.0) == 230.0


@pytest.mark.parametrize("name", ["delta", "clip", "numbers", "max_participations"])
def test_a_setting_that_the_mechanism_needs_cannot_be_null(name):
    plain = {**to_plain(DPSGD), name: None}
    with pytest.raises(SettingError, match=rf"^privacy\.example\.{name}=null"):
        rebuild(DpSgdSettings, plain, at="privacy.example")
