"""The ε of DP-SGD in integers: against exact sums over the integers, closed forms, by hand."""

import dataclasses
import math
import pickle

import numpy as np
import pytest
from scipy.special import logsumexp

from privacy.accounting import analytic_gaussian, noise_search
from privacy.accounting.noise_search import NextToNoNoiseError
from privacy.integers.discrete_gaussian import LARGEST
from privacy.integers.grid import STEPS
from privacy.mechanisms.base.limits import MOST_INTEGER_NOISE
from privacy.mechanisms.moments.dpsgd import DpSgd
from privacy.mechanisms.moments.integer_dpsgd import SMOOTHING, IntegerDpSgd
from privacy.sampling.poisson import PoissonSampling

USUAL = {"rate": 0.1, "noise": 2.0, "steps": 5, "delta": 1e-5}


def mechanism(*, rate=1.0, noise=1.0, steps=1, delta=1e-5, clip=0.3, grid_steps=STEPS):
    return IntegerDpSgd(
        sampling=PoissonSampling(rate=rate),
        noise_multiplier=noise,
        clip=clip,
        steps=steps,
        delta=delta,
        grid_steps=grid_steps,
    )


def in_reals(*, rate, noise, steps, delta):
    return DpSgd(
        sampling=PoissonSampling(rate=rate),
        noise_multiplier=noise,
        clip=0.3,
        steps=steps,
        delta=delta,
    )


def log_noise(deviation, *shifts):
    """Log-probabilities of the discrete Gaussian on a box of integers, shifted."""
    line = np.arange(-9 * deviation - 6, 9 * deviation + 7)
    normal = logsumexp(-(line**2) / (2 * deviation**2))
    axes = [-((line - shift) ** 2) / (2 * deviation**2) - normal for shift in shifts]
    return sum(np.ix_(*axes)).ravel()


def exact_delta(chosen, epsilon, *, moment, steps):
    """δ of so many steps at ε, in the worse direction, where nobody else is there."""
    rate = chosen.sampling.rate
    absent = log_noise(chosen.deviation, *(0 for _ in moment))
    there = log_noise(chosen.deviation, *moment)
    mixed = np.logaddexp(np.log(rate) + there, np.log1p(-rate) + absent) if rate < 1 else there
    some, other = mixed, absent
    for _ in range(steps - 1):
        some = np.add.outer(some, mixed).ravel()
        other = np.add.outer(other, absent).ravel()
    return max(
        float(np.maximum(np.exp(left) - np.exp(epsilon + right), 0).sum())
        for left, right in ((some, other), (other, some))
    )


@pytest.mark.parametrize(
    ("noise", "moment", "steps"), [(2.0, [-5], 1), (2.0, [5], 2), (1.6, [3, -4], 1)]
)
@pytest.mark.parametrize(("rate", "delta"), [(0.3, 1e-3), (1.0, 0.02)])
def test_what_the_integers_show_is_within_the_promise(noise, moment, steps, rate, delta):
    # five steps in a clip: each moment is of norm 5 at most
    chosen = mechanism(rate=rate, noise=noise, delta=delta, grid_steps=5)
    for epsilon in (chosen.epsilon(steps), chosen.epsilon_rdp(steps)):
        assert exact_delta(chosen, epsilon, moment=moment, steps=steps) <= delta


def test_real_noise_of_the_same_size_would_promise_too_much():
    # a continuous Gaussian of noise 1 has δ = Φ(-3/2) - e² Φ(-5/2) = 0.020924 at ε = 2
    chosen = mechanism(noise=1.0, delta=0.020924, grid_steps=5)
    assert analytic_gaussian.epsilon(1.0, delta=0.020924) == pytest.approx(2.0, abs=1e-4)
    assert exact_delta(chosen, 2.0, moment=[5], steps=1) > 0.0211
    assert exact_delta(chosen, chosen.epsilon(1), moment=[5], steps=1) <= 0.020924


def test_discrete_noise_is_continuous_noise_rounded_at_random():
    """By the midpoint rule; a rounding by a third of a step would be seen."""
    assert furthest_apart(4, SMOOTHING) < 1e-12
    assert furthest_apart(4, 1 / 3) > 1e-3


def furthest_apart(deviation, rounding):
    numbers = np.arange(-3 * deviation, 3 * deviation + 1)
    width = 1 / 64
    y = (np.arange(-9 * deviation / width, 9 * deviation / width) + 0.5) * width
    around = np.arange(-40, 41)[:, None]
    total = np.exp(-((around - (y % 1)) ** 2) / (2 * rounding**2)).sum(axis=0)
    noise = np.exp(-(y**2) / (2 * (deviation**2 - rounding**2))) / total
    made = np.array([noise @ np.exp(-((x - y) ** 2) / (2 * rounding**2)) for x in numbers])
    wanted = np.exp(-(numbers**2) / (2 * deviation**2))
    return np.abs(made / made[3 * deviation] / wanted - 1).max()


def test_at_the_usual_grid_integers_cost_no_more_than_float64_to_eight_digits():
    # 300 steps at rate .1 and noise 2: the golden figure of dpsgd
    chosen, reals = mechanism(**USUAL), in_reals(**USUAL)
    assert chosen.epsilon(60) == pytest.approx(4.1833, abs=2e-3)
    assert reals.epsilon(60) < chosen.epsilon(60) < reals.epsilon(60) * (1 + 1e-8)


def test_at_rate_one_both_bounds_are_closed_forms():
    chosen = mechanism(noise=1.0, delta=5e-4, steps=2)
    # ten steps at order 2: 10 + ln(1/2) - ln(2 · 5e-4)
    golden = 10 + math.log(0.5) - math.log(1e-3)
    assert chosen.epsilon_rdp(5) == pytest.approx(golden, rel=2e-9)
    gaussian = analytic_gaussian.epsilon(4 / math.sqrt(10), delta=5e-4)
    told = mechanism(noise=4.0, delta=5e-4, steps=2).epsilon(5)
    assert gaussian <= told <= gaussian * 1.001


@pytest.mark.parametrize(("rate", "noise"), [(0.05, 2.0), (0.5, 4.0)])
def test_the_reported_bound_is_the_lesser(rate, noise):
    chosen = mechanism(rate=rate, noise=noise, steps=3)
    told = chosen.epsilon(4)
    assert 0 < told <= chosen.epsilon_rdp(4)
    assert told <= chosen.sampled.epsilon(4)


def test_noise_of_fewer_steps_than_the_rounding_has_the_other_bound():
    chosen = mechanism(rate=0.25, noise=SMOOTHING / STEPS)
    assert chosen.sampled.noise_multiplier == 0
    assert chosen.epsilon(1) == chosen.epsilon_rdp(1) < math.inf


def test_epsilon_is_monotone_and_has_its_ends():
    assert mechanism(**USUAL).epsilon(0) == mechanism(**USUAL).epsilon_rdp(0) == 0
    silent = mechanism(noise=0.0)
    assert silent.epsilon(1) == silent.epsilon_rdp(1) == math.inf
    visits = [mechanism(rate=0.2, noise=4.0).epsilon(count) for count in (1, 3, 30)]
    noises = [mechanism(rate=0.2, noise=noise).epsilon(3) for noise in (9.0, 4.0, 3.0)]
    assert visits == sorted(visits)
    assert noises == sorted(noises)


def test_visits_and_steps_are_interchangeable():
    long, short = (mechanism(rate=0.1, noise=4.0, steps=steps) for steps in (15, 5))
    assert long.epsilon(2) == short.epsilon(6)
    assert long.epsilon_rdp(2) == short.epsilon_rdp(6)


@pytest.mark.parametrize(
    ("noise", "grid_steps", "deviation"),
    [(1.0, 16, 16), (0.1, 16, 2), (0.5, 3, 2), (0.0, 16, 0), (1.1, STEPS, 288_359)],
)
def test_the_noise_is_rounded_up_to_a_whole_step(noise, grid_steps, deviation):
    # 1.1 · 2^18 is 288,358.4
    chosen = mechanism(noise=noise, clip=3.0, grid_steps=grid_steps)
    assert chosen.deviation == deviation
    assert (chosen.grid.clip, chosen.grid.steps) == (3.0, grid_steps)


def test_what_is_accounted_is_the_same_visit_with_nine_squares_less():
    chosen = mechanism(noise=1.0, rate=0.2, steps=7, delta=1e-6, clip=0.7, grid_steps=5)
    assert chosen.sampled == DpSgd(
        sampling=chosen.sampling, noise_multiplier=0.8, clip=0.7, steps=7, delta=1e-6
    )
    assert chosen.sampled.sampled == chosen.sampled


def test_calibrated_noise_keeps_the_promise_and_is_that_of_float64_to_six_digits():
    visit = {"delta": 1e-5, "rate": 0.2, "steps": 40}
    noise = mechanism(rate=0.2, noise=0.0, steps=40).noise_for(2.0, 1)
    reals = noise_search.noise_multiplier(2.0, **visit)
    chosen = mechanism(rate=0.2, noise=noise, steps=40)
    assert reals < noise < reals * (1 + 1e-6)
    assert chosen.sampled.noise_multiplier >= reals
    assert 0.98 * 2 < chosen.epsilon(1) <= 2


def test_calibrated_noise_is_that_of_all_the_steps_of_all_visits():
    silent = mechanism(rate=0.2, noise=0.0, steps=8)
    assert silent.noise_for(2.0, 5) == mechanism(rate=0.2, steps=40).noise_for(2.0, 1)


def test_a_promise_that_needs_more_noise_than_there_is_is_refused():
    # 100 steps at rate 1 and ε = 0.1 need about 10 · 37 clips
    visit = {"delta": 1e-5, "rate": 1.0, "steps": 100}
    silent = mechanism(**visit, noise=0.0)
    with pytest.raises(
        ValueError, match=r"^privacy\.example\.epsilon=0\.1 needs a noise of 3.* 256 at most"
    ):
        silent.noise_for(0.1, 1)
    assert noise_search.noise_multiplier(0.1, **visit) > MOST_INTEGER_NOISE
    with pytest.raises(NextToNoNoiseError):
        silent.noise_for(1e6, 1)


@pytest.mark.parametrize("noise", [-1.0, 257.0, math.inf, math.nan])
def test_noise_that_the_sampler_does_not_reach_is_refused(noise):
    with pytest.raises(ValueError, match=rf"^noise_multiplier={noise:g} must lie .* 256 for"):
        mechanism(noise=noise)


@pytest.mark.parametrize(
    ("changes", "name"), [({"grid_steps": 0}, "steps=0"), ({"clip": 1e-31}, "clip=1e-31")]
)
def test_a_grid_that_is_none_is_refused(changes, name):
    with pytest.raises(ValueError, match=rf"^{name} must lie"):
        mechanism(**changes)


def test_the_largest_noise_of_the_settings_is_what_the_sampler_reaches():
    assert MOST_INTEGER_NOISE * STEPS == LARGEST


def test_a_mechanism_is_a_frozen_value():
    chosen = mechanism()
    assert pickle.loads(pickle.dumps(chosen)) == chosen
    assert hash(chosen) == hash(mechanism())
    with pytest.raises(dataclasses.FrozenInstanceError):
        chosen.noise_multiplier = 0.1
