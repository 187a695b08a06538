"""A whole device: its figures, golden and by hand, and what is released of a round."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest
from some_updates import updates

from privacy.mechanisms.independent.cohort_gaussian import (
    CohortGaussian,
    least_noise,
    protected_mean,
)
from privacy.noise import SecureSource, SeededSource
from privacy.sampling.capped import CappedPoissonSampling

SIZE = 6


def sampling(devices=1000, cohort=50, cap=75):
    return CappedPoissonSampling.expecting(cohort, devices=devices, cap=cap)


def gaussian(noise, **changes):
    return CohortGaussian(
        sampling=sampling(**changes), noise_multiplier=noise, clip=1.0, delta=5e-4
    )


@pytest.mark.parametrize(("noise", "published"), [(1.0, 3.48), (2.0, 1.11)])
def test_epsilon_of_a_capped_cohort_is_no_more_than_the_published_one(noise, published):
    """arXiv 2508.15089 asks for less: there the others may be chosen anew."""
    free = gaussian(noise, cap=None).epsilon(200)
    assert free - 1e-6 <= gaussian(noise).epsilon(200) <= published + 5e-3


def test_a_generous_cap_costs_next_to_nothing_and_has_a_second_opinion():
    wide = gaussian(1.0, cap=None)
    assert wide.sampling.cap == 114
    assert wide.epsilon(200) == pytest.approx(3.42, abs=0.01)
    assert wide.epsilon(200) < wide.epsilon_rdp(200) < 4.4


def test_a_cap_that_cuts_often_has_a_second_opinion_too():
    tight = gaussian(1.0, cap=50)
    assert tight.epsilon(200) < tight.epsilon_rdp(200) < 1.3 * tight.epsilon(200)


@pytest.mark.parametrize(
    ("target", "noise"), [(1.0, 2.15), (2.0, 1.34), (4.0, 0.93), (8.0, 0.69)]
)
def test_calibrated_noise_is_the_published_one(target, noise):
    found = least_noise(target, sampling=sampling(cap=None), rounds=200, delta=1000**-1.1)
    assert found == pytest.approx(noise, rel=0.012)
    kept = CohortGaussian(
        sampling=sampling(cap=None), noise_multiplier=found, clip=1.0, delta=1000**-1.1
    )
    assert 0.97 * target < kept.epsilon(200) <= target


def test_everybody_every_round_is_the_gaussian_mechanism():
    whole = CappedPoissonSampling(devices=10, rate=1.0, cap=10)
    alone = CohortGaussian(sampling=whole, noise_multiplier=10.0, clip=1.0, delta=1e-5)
    assert alone.epsilon(100) == pytest.approx(4.377178, rel=2e-3)


def test_no_round_costs_nothing_and_no_noise_everything():
    assert gaussian(1.0).epsilon(0) == 0
    assert math.isinf(gaussian(0.0).epsilon(1))


@pytest.mark.parametrize(("target", "why"), [(1e-9, "cannot be met"), (1e6, "no noise")])
def test_a_promise_that_cannot_be_meant_is_refused(target, why):
    with pytest.raises(ValueError, match=rf"^privacy\.device\.epsilon=1e.*{why}"):
        least_noise(target, sampling=sampling(), rounds=200, delta=1e-12)


def mechanism(*, noise=0.0, clip=0.5, cohort=4.0, devices=20):
    return CohortGaussian(
        sampling=CappedPoissonSampling.expecting(cohort, devices=devices, cap=None),
        noise_multiplier=noise,
        clip=clip,
        delta=1e-3,
    )


def released(deltas, chosen, source=None):
    return protected_mean(deltas, chosen, size=SIZE, source=source or SeededSource(3)).value


@given(seed=st.integers(0, 10**6), others=st.integers(0, 6), noise=st.sampled_from([0.0, 1.0]))
def test_a_device_more_moves_the_release_by_no_more_than_the_clip(seed, others, noise):
    chosen = mechanism(noise=noise)
    deltas = updates(seed, others + 1, size=SIZE)
    with_one, without = released(deltas, chosen), released(deltas[:-1], chosen)
    assert np.linalg.norm(with_one - without) * 4.0 <= 0.5 * (1 + 1e-9)


@given(seed=st.integers(0, 10**6))
def test_another_device_in_its_place_moves_it_by_no_more_than_twice_that(seed):
    first, second, *rest = updates(seed, 5, size=SIZE)
    chosen = mechanism()
    difference = released([first, *rest], chosen) - released([second, *rest], chosen)
    assert np.linalg.norm(difference) * 4.0 <= 2 * 0.5 * (1 + 1e-9)


def test_an_update_of_nothing_finite_leaves_the_others_bit_for_bit():
    whole = updates(5, 3, size=SIZE)
    broken = np.full(SIZE, np.nan, np.float32)
    assert (released([*whole, broken], mechanism()) == released(whole, mechanism())).all()


def test_the_divisor_is_the_expected_cohort_whoever_came():
    one = np.float32([0.3, 0, 0, 0, 0, 0])
    for count in (1, 4, 7):
        assert released([one] * count, mechanism())[0] == pytest.approx(0.3 * count / 4)


def test_an_empty_cohort_releases_noise_of_the_same_deviation():
    chosen = mechanism(noise=2.0)
    draws = [released(deltas, chosen, SeededSource(n)) for n, deltas in enumerate([[]] * 500)]
    full = [
        released(deltas, chosen, SeededSource(n)) - released(deltas, mechanism())
        for n, deltas in enumerate([updates(1, 4, size=SIZE)] * 500)
    ]
    assert np.allclose(draws, full, atol=1e-12)
    assert kstest(np.ravel(draws) / (2.0 * 0.5 / 4), "norm").pvalue > 1e-3
    for wrong in (2 / 3, 3 / 2):
        assert kstest(np.ravel(draws) / (wrong * 2.0 * 0.5 / 4), "norm").pvalue < 1e-6


def test_rounds_are_drawn_apart():
    chosen = mechanism(noise=1.0)
    one, two = (released([], chosen, SecureSource()) for _ in range(2))
    assert not np.array_equal(one, two)
