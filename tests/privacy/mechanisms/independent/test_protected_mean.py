"""The release of a round for the unit device: sensitivity, noise, divisor, cohort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian, protected_mean
from privacy.noise import SecureSource, SeededSource
from privacy.sampling.capped import CappedPoissonSampling

SIZE = 6


def mechanism(*, noise=0.0, clip=0.5, cohort=4.0, devices=20):
    return CohortGaussian(
        sampling=CappedPoissonSampling.expecting(cohort, devices=devices, cap=None),
        noise_multiplier=noise,
        clip=clip,
        delta=1e-3,
    )


def updates(seed, count):
    draws = np.random.default_rng(seed)
    scales = draws.choice([1e-3, 1.0, 1e6], size=(count, 1))
    return list((scales * draws.normal(size=(count, SIZE))).astype(np.float32))


def released(deltas, chosen, source=None):
    return protected_mean(deltas, chosen, size=SIZE, source=source or SeededSource(3)).value


@given(seed=st.integers(0, 10**6), others=st.integers(0, 6), noise=st.sampled_from([0.0, 1.0]))
def test_a_device_more_moves_the_release_by_no_more_than_the_clip(seed, others, noise):
    chosen = mechanism(noise=noise)
    deltas = updates(seed, others + 1)
    with_one, without = released(deltas, chosen), released(deltas[:-1], chosen)
    assert np.linalg.norm(with_one - without) * 4.0 <= 0.5 * (1 + 1e-9)


@given(seed=st.integers(0, 10**6))
def test_another_device_in_its_place_moves_it_by_no_more_than_twice_that(seed):
    first, second, *rest = updates(seed, 5)
    chosen = mechanism()
    difference = released([first, *rest], chosen) - released([second, *rest], chosen)
    assert np.linalg.norm(difference) * 4.0 <= 2 * 0.5 * (1 + 1e-9)


def test_an_update_of_nothing_finite_leaves_the_others_bit_for_bit():
    whole = updates(5, 3)
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
        for n, deltas in enumerate([updates(1, 4)] * 500)
    ]
    assert np.allclose(draws, full, atol=1e-12)
    assert kstest(np.ravel(draws) / (2.0 * 0.5 / 4), "norm").pvalue > 1e-3
    for wrong in (2 / 3, 3 / 2):
        assert kstest(np.ravel(draws) / (wrong * 2.0 * 0.5 / 4), "norm").pvalue < 1e-6


def test_rounds_are_drawn_apart():
    chosen = mechanism(noise=1.0)
    one, two = (released([], chosen, SecureSource()) for _ in range(2))
    assert not np.array_equal(one, two)
