"""Golden figures of whole mechanisms, each by an accountant that the product does not use."""

import pytest
from dp_accounting import (
    GaussianDpEvent,
    NeighboringRelation,
    PoissonSampledDpEvent,
    SelfComposedDpEvent,
    TruncatedSubsampledGaussianDpEvent,
)
from dp_accounting.pld import PLDAccountant

from privacy.accounting import pld, rdp
from privacy.accounting.noise_search import noise_multiplier

# 1000 devices, 50 expected in each of 200 rounds, δ = devices^-1.1
ROUNDS, DELTA = 200, 1000**-1.1
SAMPLED = {"rate": 0.05, "steps": ROUNDS, "delta": DELTA}


def other_epsilon(event, *, relation, interval=1e-3):
    accountant = PLDAccountant(relation, value_discretization_interval=interval)
    return accountant.compose(SelfComposedDpEvent(event, ROUNDS)).get_epsilon(DELTA)


@pytest.mark.parametrize(("noise", "expected", "renyi"), [(1.0, 3.42, 4.01), (2.0, 1.10, 1.27)])
def test_a_sampled_device_that_is_added_costs_the_golden_figures(noise, expected, renyi):
    found = pld.epsilon(noise_multiplier=noise, interval=1e-3, **SAMPLED)
    assert found == pytest.approx(expected, rel=1e-2)
    assert rdp.epsilon(noise_multiplier=noise, **SAMPLED) == pytest.approx(renyi, rel=1e-2)


@pytest.mark.parametrize(("noise", "expected"), [(1.0, 5.47), (2.0, 2.21)])
def test_a_sampled_device_that_is_replaced_costs_the_golden_figures(noise, expected):
    event = PoissonSampledDpEvent(0.05, GaussianDpEvent(noise))
    found = other_epsilon(event, relation=NeighboringRelation.REPLACE_ONE)
    assert found == pytest.approx(expected, rel=1e-2)
    assert found > pld.epsilon(noise_multiplier=noise, interval=1e-3, **SAMPLED)


@pytest.mark.parametrize(("noise", "expected"), [(1.0, 3.48), (2.0, 1.11)])
def test_a_cap_of_one_and_a_half_cohorts_costs_the_golden_figures(noise, expected):
    event = TruncatedSubsampledGaussianDpEvent(1000, 0.05, 75, noise)
    found = other_epsilon(event, relation=NeighboringRelation.REPLACE_SPECIAL, interval=2e-3)
    assert found == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize(
    ("devices", "cohort", "rounds", "target", "noise"),
    [
        (500, 50, 100, 1, 2.73),
        (500, 50, 100, 2, 1.66),
        (500, 50, 100, 4, 1.10),
        (500, 50, 100, 8, 0.78),
        (10_000, 100, 500, 1, 1.08),
        (10_000, 100, 500, 2, 0.81),
        (10_000, 100, 500, 4, 0.65),
        (10_000, 100, 500, 8, 0.52),
    ],
)
def test_a_population_needs_the_noise_of_the_table(devices, cohort, rounds, target, noise):
    def epsilon(sigma):
        return pld.epsilon(
            rate=cohort / devices,
            noise_multiplier=sigma,
            steps=rounds,
            delta=devices**-1.1,
            interval=2e-3 * target,
        )

    assert epsilon(1.01 * noise) <= target <= epsilon(0.99 * noise)


def test_the_published_run_of_another_library_has_its_epsilon_and_its_noise():
    run = {"rate": 0.1, "steps": 512, "delta": 1e-6}
    assert pld.epsilon(noise_multiplier=3.0, **run) == pytest.approx(3.77, abs=5e-3)
    assert noise_multiplier(1.0, **run) == pytest.approx(9.66, rel=3e-3)
