"""What an attack proves: below every accountant, close to the truth, and by simulation."""

import math

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant

from privacy.accounting import analytic_gaussian
from privacy.accounting.attack import epsilon

ROWS = [
    (0.01, 4.0, 2000, 1e-5, 0.96),
    (0.1, 2.0, 300, 1e-5, 0.93),
    (0.25, 1.5, 60, 1e-4, 0.92),
    (0.2, 1.0, 100, 1e-3, 0.8),
    (0.5, 0.7, 3, 1e-5, 0.8),
]


@pytest.mark.parametrize(("rate", "noise", "steps", "delta", "share"), ROWS)
def test_it_proves_most_of_what_another_library_tells_and_no_more(
    rate, noise, steps, delta, share
):
    accountant = PLDAccountant(value_discretization_interval=1e-3)
    step = PoissonSampledDpEvent(rate, GaussianDpEvent(noise))
    told = accountant.compose(SelfComposedDpEvent(step, steps)).get_epsilon(delta)
    found = epsilon(rate=rate, noise_multiplier=noise, steps=steps, delta=delta)
    assert share * told < found < told


@pytest.mark.parametrize("noise", [0.3, 2.0, 50.0])
def test_without_sampling_it_is_the_best_attack_there_is(noise):
    exact = analytic_gaussian.epsilon(noise / 3, delta=1e-6)
    found = epsilon(rate=1.0, noise_multiplier=noise, steps=9, delta=1e-6)
    assert 0.98 * exact - 1e-6 < found <= exact


def test_a_simulation_of_it_finds_both_probabilities():
    """Three rounds at one half, noise 1, threshold 2: how often is the sum above it?"""
    coin = np.random.default_rng(3)
    noise = coin.standard_normal((200_000, 3)).sum(axis=1)
    there = noise + coin.binomial(3, 0.5, 200_000)
    delta = 0.05
    proven = math.log(((there > 2).mean() - delta) / (noise > 2).mean())
    assert proven < epsilon(rate=0.5, noise_multiplier=1.0, steps=3, delta=delta) + 0.03


def test_nothing_is_proven_of_nothing():
    assert epsilon(rate=0.5, noise_multiplier=1.0, steps=0, delta=1e-5) == 0
    assert epsilon(rate=0.5, noise_multiplier=0.0, steps=3, delta=1e-5) == 0
    assert epsilon(rate=1e-9, noise_multiplier=1.0, steps=3, delta=1e-5) == 0
