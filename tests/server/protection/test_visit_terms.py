import dataclasses
import math

import pytest

from privacy.mechanisms.integer_dpsgd import IntegerDpSgd
from privacy.settings import Device, Example, Privacy
from protocol.settings import Training
from server.protection.visit_terms import mechanism, work

TRAINING = Training(steps=3, rate=0.25, reference_size=40, largest_library=100, lr=0.5)
NONE = Example(
    mechanism="none",
    epsilon=None,
    noise_multiplier=None,
    delta=None,
    clip=None,
    numbers=None,
    max_participations=None,
)
DPSGD = Example(
    mechanism="dpsgd",
    epsilon=8.0,
    noise_multiplier=None,
    delta=1e-5,
    clip=2.0,
    numbers="float64",
    max_participations=10,
)


def both(example):
    return Privacy(noise="secure", claim=False, example=example, device=Device.none())


def test_without_a_mechanism_nothing_is_clipped_noised_or_limited():
    terms = work(TRAINING, both(NONE))
    assert mechanism(TRAINING, NONE) is None
    assert (terms.clip, terms.noise_multiplier, terms.max_participations) == (math.inf, 0, 0)
    assert not terms.private
    assert (terms.steps, terms.rate, terms.lr) == (3, 0.25, 0.5)


def test_the_denominator_is_the_rate_times_the_public_size():
    assert (
        work(TRAINING, both(NONE)).denominator
        == work(TRAINING, both(DPSGD)).denominator
        == 10.0
    )


def test_calibrated_noise_keeps_the_promise_after_all_visits_and_hardly_more():
    terms = work(TRAINING, both(DPSGD))
    chosen = mechanism(TRAINING, DPSGD)
    assert terms.private
    assert (terms.clip, terms.max_participations) == (2.0, 10)
    assert terms.noise_multiplier == chosen.noise_multiplier
    assert 7.8 < chosen.epsilon(10) <= 8.0


def test_the_mechanism_is_that_of_the_terms():
    chosen, terms = mechanism(TRAINING, DPSGD), work(TRAINING, both(DPSGD))
    assert (chosen.steps, chosen.sampling.rate, chosen.clip, chosen.delta) == (
        terms.steps,
        terms.rate,
        terms.clip,
        1e-5,
    )


def test_integers_are_asked_for_where_they_are_configured_at_nearly_the_same_noise():
    integers = dataclasses.replace(DPSGD, numbers="integers")
    asked, usual = work(TRAINING, both(integers)), work(TRAINING, both(DPSGD))
    assert asked.integers
    assert not usual.integers
    assert not work(TRAINING, both(NONE)).integers
    assert usual.noise_multiplier < asked.noise_multiplier < usual.noise_multiplier * (1 + 1e-6)
    assert isinstance(mechanism(TRAINING, integers), IntegerDpSgd)
    assert mechanism(TRAINING, integers).epsilon(10) <= 8.0


@pytest.mark.parametrize("epsilon", [None, 8.0])
def test_a_noise_multiplier_that_is_given_is_used(epsilon):
    given = dataclasses.replace(DPSGD, epsilon=epsilon, noise_multiplier=1.5)
    assert work(TRAINING, both(given)).noise_multiplier == 1.5


@pytest.mark.parametrize("name", ["epsilon", "delta", "clip", "numbers", "max_participations"])
def test_a_setting_that_the_mechanism_lacks_is_named(name):
    incomplete = dataclasses.replace(DPSGD, **{name: None})
    with pytest.raises(ValueError, match=rf"privacy\.example\.{name} is null"):
        work(TRAINING, both(incomplete))
