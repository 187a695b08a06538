"""Each of ε, noise, rounds and cohort from the others: round trips, ends, and by hand."""

import math
import re
from dataclasses import replace

import pytest

from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.moments.integer_dpsgd import IntegerDpSgd
from privacy.planning import target
from privacy.sampling.capped import CappedPoissonSampling
from privacy.sampling.poisson import PoissonSampling

DPSGD = DpSgd(
    sampling=PoissonSampling(rate=0.2), noise_multiplier=4.0, clip=1.0, steps=2, delta=1e-5
)
INTEGERS = IntegerDpSgd(
    sampling=DPSGD.sampling, noise_multiplier=4.0, clip=1.0, steps=2, delta=1e-5
)
LOCAL = LocalGaussian(noise_multiplier=20.0, clip=1.0, delta=1e-5)


def cohort_gaussian(noise=2.0, *, devices=1000, cohort=50.0, clip=1.0, delta=1e-4):
    sampling = CappedPoissonSampling.expecting(cohort, devices=devices, cap=None)
    return CohortGaussian(sampling=sampling, noise_multiplier=noise, clip=clip, delta=delta)


COHORT = cohort_gaussian()
MECHANISMS = pytest.mark.parametrize("mechanism", [DPSGD, INTEGERS, COHORT, LOCAL])


@MECHANISMS
def test_noise_for_an_epsilon_keeps_it_and_uses_nearly_all(mechanism):
    noise = target.noise_multiplier(1.5, mechanism, times=30)
    found = replace(mechanism, noise_multiplier=noise).epsilon(30)
    assert 0.99 * 1.5 <= found <= 1.5


@MECHANISMS
@pytest.mark.parametrize("times", [0, 1, 40])
def test_the_quick_epsilon_is_never_below_the_reported_one_and_close(mechanism, times):
    told = mechanism.epsilon(times)
    assert told <= target.epsilon(mechanism, times) <= 1.003 * told


def test_an_epsilon_without_noise_is_infinite():
    assert math.isinf(target.epsilon(cohort_gaussian(0.0), 10))


@MECHANISMS
@pytest.mark.parametrize("promised", [0.5, 0.7])
def test_one_more_than_the_most_rounds_or_visits_breaks_the_promise(mechanism, promised):
    most = target.most_times(promised, mechanism)
    assert most > 1
    assert mechanism.epsilon(most) <= promised < mechanism.epsilon(most + 1)


def test_the_most_visits_with_local_noise_are_worked_by_hand():
    # σ/2C of 0.599 is ε = 8 at δ = 1e-5 (1.198 over 2), and k visits ask for √k of it
    assert target.most_times(8.0, replace(LOCAL, noise_multiplier=1.21 * 5)) == 25
    assert target.most_times(8.0, replace(LOCAL, noise_multiplier=1.19 * 5)) == 24


@pytest.mark.parametrize(("promised", "noise"), [(1.0, 2.15), (3.0, 2.0)])
def test_a_promise_of_hundreds_of_rounds_is_nearly_used_up(promised, noise):
    mechanism = cohort_gaussian(noise)
    most = target.most_times(promised, mechanism)
    assert most > 100
    assert mechanism.epsilon(most) <= promised < mechanism.epsilon(most + 1) / 0.997


def test_the_last_word_is_of_the_accountant_that_knows_a_cap_that_cuts_often():
    narrow = replace(COHORT, sampling=replace(COHORT.sampling, cap=60))
    most = target.most_times(1.5, narrow)
    assert most < target.most_times(1.5, COHORT)
    assert narrow.epsilon(most) <= 1.5


def test_as_many_rounds_as_anyone_asks_for_are_not_counted_further():
    assert target.most_times(8.0, cohort_gaussian(1e4)) == target.MOST_TIMES
    assert target.most_times(8.0, replace(LOCAL, noise_multiplier=1e5)) == target.MOST_TIMES


@pytest.mark.parametrize("promised", [0.5, 2.0])
def test_the_largest_cohort_keeps_the_promise_and_a_percent_more_breaks_it(promised):
    largest = target.largest_cohort(promised, COHORT, rounds=100)
    assert cohort_gaussian(cohort=largest).epsilon(100) <= promised
    assert cohort_gaussian(cohort=1.01 * largest).epsilon(100) > promised


def test_the_cap_of_the_largest_cohort_is_the_usual_one():
    narrow = replace(COHORT, sampling=replace(COHORT.sampling, cap=50))
    found = target.largest_cohort(1.0, narrow, rounds=100)
    assert found == target.largest_cohort(1.0, COHORT, rounds=100)


def test_noise_enough_for_everybody_allows_everybody():
    assert target.largest_cohort(8.0, cohort_gaussian(1e3), rounds=10) == 1000


def test_the_largest_rate_keeps_the_promise_and_a_percent_more_breaks_it():
    rate = target.largest_rate(2.0, DPSGD, visits=20)
    assert replace(DPSGD, sampling=PoissonSampling(rate)).epsilon(20) <= 2.0
    assert replace(DPSGD, sampling=PoissonSampling(1.01 * rate)).epsilon(20) > 2.0


def test_the_largest_rate_in_integers_is_that_of_float64():
    rate = target.largest_rate(2.0, INTEGERS, visits=20)
    assert rate == pytest.approx(target.largest_rate(2.0, DPSGD, visits=20), rel=1e-6)
    assert replace(INTEGERS, sampling=PoissonSampling(rate)).epsilon(20) <= 2.0


def test_noise_of_a_few_steps_has_the_epsilon_that_is_reported():
    few = replace(INTEGERS, noise_multiplier=3 / 2**18)
    assert target.epsilon(few, 1) == few.epsilon(1) < math.inf


def rounds_of(promised, noise):
    return target.most_times(promised, cohort_gaussian(noise))


def cohort_of(promised, noise):
    few = cohort_gaussian(noise, devices=20, cohort=2)
    return target.largest_cohort(promised, few, rounds=100)


@pytest.mark.parametrize(
    ("allowed", "promised", "sentence"),
    [
        (
            rounds_of,
            0.1,
            r"privacy\.device\.epsilon=0\.1 does not last for one round, which costs (\S+) at "
            r"noise multiplier 1; raise it to that, or the noise multiplier to (\S+)\.",
        ),
        (
            cohort_of,
            0.5,
            r"privacy\.device\.epsilon=0\.5 is not even met with a cohort of one, which costs "
            r"(\S+) in 100 rounds at noise multiplier 1; raise it to that, or the noise "
            r"multiplier to (\S+)\.",
        ),
    ],
)
def test_what_cannot_be_met_is_one_sentence_whose_ways_out_are_ways_out(
    allowed, promised, sentence
):
    with pytest.raises(ValueError, match=r"^privacy") as raised:
        allowed(promised, 1.0)
    least, noise = map(float, re.fullmatch(sentence, str(raised.value)).groups())
    assert allowed(least, 1.0) >= 1
    assert allowed(promised, noise) >= 1


def test_what_cannot_be_met_by_a_visit_is_said_of_visits():
    with pytest.raises(ValueError, match=r"^privacy\.device\.epsilon=0\.1 .* one visit, which"):
        target.most_times(0.1, replace(LOCAL, noise_multiplier=1.0))
    with pytest.raises(ValueError, match=r"^privacy\.example\.epsilon=0\.2 .* one visit, whi"):
        target.most_times(0.2, replace(DPSGD, noise_multiplier=1.0))
    with pytest.raises(ValueError, match=r"a rate of 1e-06, which costs \S+ in 20 visits at"):
        target.largest_rate(0.5, replace(DPSGD, noise_multiplier=0.2, delta=1e-7), visits=20)
