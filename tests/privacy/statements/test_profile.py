"""The profile: closed forms, another library, and attacks that do as well as it allows."""

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from every_mechanism import DPSGD, EVERY, LOCAL
from scipy.stats import norm

from privacy.losses import step_losses
from privacy.sampling.crowds import alone
from privacy.sampling.poisson import PoissonSampling
from privacy.statements import profile

TRIALS = 200_000


@pytest.mark.parametrize("mechanism", EVERY)
@pytest.mark.parametrize("times", [1, 8])
def test_every_profile_falls_to_the_promise(mechanism, times):
    found = profile.of(mechanism, times)
    epsilons, deltas = zip(*found.points, strict=True)
    assert epsilons[0] == 0.0
    assert epsilons[-1] == mechanism.epsilon(times)
    assert deltas[-1] <= mechanism.delta
    assert all(one < two for one, two in itertools.pairwise(epsilons))
    assert all(one > two for one, two in itertools.pairwise(deltas) if one < 0.9)
    assert found.right == (1 + deltas[0]) / 2
    assert profile.FALSE_ALARMS < found.caught < 1
    assert json.dumps(dataclasses.asdict(found))


@pytest.mark.parametrize("mechanism", EVERY)
def test_at_the_promise_delta_is_nearly_used_up_without_being_reported(mechanism):
    """The grid is wider than that of the ε that is told: it adds about a thousandth."""
    (found,) = profile.deltas(mechanism, 8, epsilons=(mechanism.epsilon(8),))
    assert 0.97 * mechanism.delta < found < 1.004 * mechanism.delta


@pytest.mark.parametrize("visits", [1, 9])
def test_without_sampling_it_is_the_closed_form(visits):
    """Noise of 2 clips over a diameter of 2√k."""
    apart = math.sqrt(visits)
    found = profile.of(LOCAL, visits)
    assert found.right == pytest.approx(norm.cdf(apart / 2), rel=1e-9)
    for epsilon, delta in found.points[:-1]:
        left = norm.cdf(apart / 2 - epsilon / apart)
        right = math.exp(epsilon) * norm.cdf(-apart / 2 - epsilon / apart)
        assert delta == pytest.approx(left - right, rel=1e-6)
    best = norm.cdf(norm.ppf(profile.FALSE_ALARMS) + apart)
    assert best <= found.caught <= best + 0.02


@pytest.mark.parametrize(("rate", "noise", "steps"), [(0.2, 2.0, 50), (0.05, 0.8, 200)])
def test_sampled_steps_have_the_profile_of_another_library(rate, noise, steps):
    accountant = PLDAccountant(value_discretization_interval=1e-3)
    step = PoissonSampledDpEvent(rate, GaussianDpEvent(noise))
    accountant.compose(SelfComposedDpEvent(step, steps))
    mechanism = dataclasses.replace(
        DPSGD, sampling=PoissonSampling(rate), noise_multiplier=noise, steps=steps
    )
    epsilons = (0.0, 0.1, 0.5, 1.0, 2.0, 3.0)
    found = profile.deltas(mechanism, 1, epsilons=epsilons)
    expected = [accountant.get_delta(epsilon) for epsilon in epsilons]
    assert found == pytest.approx(expected, rel=4e-3)
    assert all(one >= other * (1 - 1e-6) for one, other in zip(found, expected, strict=True))


def test_a_small_delta_is_found_to_its_last_digits_on_a_grid():
    """Far below what a transform that is not tilted still sees after 10,000 steps."""
    (found,) = step_losses.deltas(
        alone(1.0),
        noise_multiplier=100.0,
        steps=10_000,
        epsilons=np.array([7.0]),
        interval=1e-5,
    )
    exact = norm.cdf(-6.5) - math.exp(7) * norm.cdf(-7.5)
    assert exact < 1e-11
    assert exact * (1 - 1e-7) <= found <= exact * (1 + 1e-4)


def attacked(*, rate, sigma, coin):
    """Releases of a step with and without the moment, as how much likelier with it."""
    there = coin.random(TRIALS) < rate
    present = there + sigma * coin.standard_normal(TRIALS)
    absent = sigma * coin.standard_normal(TRIALS)
    return tuple(
        np.log1p(rate * np.expm1((2 * one - 1) / (2 * sigma**2))) for one in (present, absent)
    )


@pytest.mark.parametrize(("rate", "sigma"), [(1.0, 1.0), (1.0, 3.0), (0.3, 0.5), (0.5, 2.0)])
def test_the_best_attack_is_right_no_more_often_and_within_two_percent(rate, sigma):
    present, absent = attacked(rate=rate, sigma=sigma, coin=np.random.default_rng(7))
    right = ((present > 0).mean() + (absent <= 0).mean()) / 2
    named = (present > np.quantile(absent, 1 - profile.FALSE_ALARMS)).mean()
    found = profile.of(
        dataclasses.replace(DPSGD, sampling=PoissonSampling(rate), noise_multiplier=sigma), 1
    )
    chance = 3 / math.sqrt(TRIALS)
    assert found.right - 0.02 < right < found.right + chance
    assert found.caught - 0.02 < named < found.caught + chance


def test_nothing_is_reported_without_noise_and_nothing_shown_without_a_visit():
    assert profile.of(dataclasses.replace(DPSGD, noise_multiplier=0.0), 3) is None
    for mechanism in EVERY:
        found = profile.of(mechanism, 0)
        assert found.points == ((0.0, 0.0),)
        assert found.right == 0.5
        assert found.caught == pytest.approx(profile.FALSE_ALARMS)
