"""The figures of a whole device: golden, against each other, and by hand."""

import math

import numpy as np
import pytest
from scipy.stats import binom, chisquare

from privacy.mechanisms.independent.cohort_gaussian import CohortGaussian, least_noise
from privacy.mechanisms.local_gaussian import LocalGaussian
from privacy.mechanisms.local_gaussian import least_noise as least_local_noise
from privacy.noise import SeededSource
from privacy.sampling.capped import CappedPoissonSampling


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


def test_each_device_tosses_its_own_coin():
    chosen = CappedPoissonSampling(devices=40, rate=0.3, cap=40)
    rounds = [chosen.draw(stream=SeededSource(1).stream(n)) for n in range(4000)]
    sizes = np.bincount([len(one) for one in rounds], minlength=41)
    expected = 4000 * binom.pmf(np.arange(41), 40, 0.3)
    usual = expected > 5
    observed = np.append(sizes[usual], sizes[~usual].sum())
    assert chisquare(observed, np.append(expected[usual], expected[~usual].sum())).pvalue > 1e-3
    included = np.bincount(np.concatenate(rounds), minlength=40) / 4000
    assert np.abs(included - 0.3).max() < 4.5 * math.sqrt(0.21 / 4000)


def test_too_many_are_cut_to_the_cap_at_random():
    chosen = CappedPoissonSampling(devices=10, rate=1.0, cap=4)
    rounds = [chosen.draw(stream=SeededSource(2).stream(n)) for n in range(3000)]
    assert {len(one) for one in rounds} == {4}
    assert all((np.diff(one) > 0).all() for one in rounds)
    included = np.bincount(np.concatenate(rounds), minlength=10) / 3000
    assert np.abs(included - 0.4).max() < 4.5 * math.sqrt(0.24 / 3000)


def test_local_noise_is_that_of_twice_the_clip():
    found = [least_local_noise(e, participations=1, delta=1e-5) for e in (1, 2, 4, 8)]
    assert found == pytest.approx([7.46, 3.99, 2.16, 1.20], abs=5e-3)


def test_local_epsilon_grows_as_the_root_of_the_visits():
    nine = LocalGaussian(noise_multiplier=6.0, clip=1.0, delta=1e-5)
    one = LocalGaussian(noise_multiplier=2.0, clip=1.0, delta=1e-5)
    assert nine.epsilon(9) == pytest.approx(one.epsilon(1))
    assert one.epsilon(1) == pytest.approx(4.377178, abs=1e-5)
    assert one.epsilon(0) == 0
