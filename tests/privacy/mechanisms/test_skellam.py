"""The figures of Skellam noise, its bound against exact sums, and its sampler."""

import math

import mpmath
import numpy as np
import pytest
from scipy import stats
from scipy.special import ive, logsumexp

from privacy.mechanisms.skellam import (
    SkellamSum,
    _log_probability,
    divergence,
    draw,
    largest_steps,
    rounded_norms,
)
from privacy.noise import SeededSource

# 131,072 weights, deviation 1, ten rounds: bits, ε, and how far rounding stretches an update
FIGURES = [
    (10, 36.4, 1.74),
    (12, 17.5, 1.062),
    (14, 16.30, 1.004),
    (16, 16.22, 1.000),
    (20, 16.215, 1.000),
]


def whole(bits, noise=1.0):
    steps = largest_steps(bits, noise_multiplier=noise)
    return SkellamSum(noise_multiplier=noise, steps=steps, size=131_072, delta=5e-4)


def drawn(size, variance, *path):
    return draw(size, variance=variance, stream=SeededSource(6).stream("noise", *path))


def chi_square(draws, variance):
    """The p-value of the draws; numbers that are expected less than five times are pooled."""
    numbers = np.arange(-math.ceil(9 * math.sqrt(variance)), math.ceil(9 * math.sqrt(variance)))
    expected = stats.skellam.pmf(numbers, variance / 2, variance / 2) * len(draws)
    usual = expected >= 5
    counts = np.bincount(draws - numbers[0], minlength=len(numbers))
    observed = np.append(counts[usual], counts[~usual].sum())
    wanted = np.append(expected[usual], expected[~usual].sum())
    return stats.chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue


@pytest.mark.parametrize(("bits", "expected", "_"), FIGURES)
def test_epsilon_is_the_published_one(bits, expected, _):
    # a sum modulo 2^bits that holds four deviations on either side: 2^bits / 8 steps per clip
    assert whole(bits).epsilon(10) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(("bits", "_", "expected"), FIGURES)
def test_rounding_stretches_an_update_as_published(bits, _, expected):
    steps = largest_steps(bits, noise_multiplier=1.0)
    assert steps == 2**bits / 8
    assert whole(bits).norms[0] / steps == pytest.approx(expected, rel=2e-3)


def test_many_bits_meet_the_gaussian():
    # at order 2: ten times one, and the conversion
    assert whole(32).epsilon(10) == pytest.approx(10 + math.log(0.5) - math.log(1e-3), rel=1e-6)


def test_a_sum_seldom_wraps():
    # 128 steps of deviation, and 512 on either side
    wraps = 2 * stats.skellam.sf(511, 128**2 / 2, 128**2 / 2)
    assert largest_steps(10, noise_multiplier=1.0) == 128
    assert 5e-5 < wraps < 8e-5


def test_norms_are_those_of_the_formula():
    # c = 3 and 4 coordinates: 3 + 2, against √(9 + 1 + (3 + 1)) at β = e^-½
    longest, absolute = rounded_norms(3.0, size=4)
    assert longest == pytest.approx(math.sqrt(14))
    assert absolute == pytest.approx(2 * math.sqrt(14))
    # rounding that may never be too long has the first bound; one coordinate is its own L1 norm
    assert rounded_norms(3.0, size=4, beta=1e-9)[0] == 5.0
    assert rounded_norms(0.25, size=1)[0] == rounded_norms(0.25, size=1)[1]


def test_no_rounding_is_longer_than_the_first_bound():
    rng = np.random.default_rng(7)
    for _ in range(50):
        vector = rng.normal(size=9)
        vector *= 4 / np.linalg.norm(vector)
        up = np.where(vector > 0, np.ceil(vector), np.floor(vector))
        assert np.linalg.norm(up) <= rounded_norms(4.0, size=9, beta=1e-300)[0]


def exact_divergence(order, *, variance, shift):
    # as far as float64 has the probabilities, exp(-m) I_n(m)
    logs = np.log(ive(np.abs(np.arange(-110, 111)), variance))
    left, right = logs[shift:], logs[: len(logs) - shift]
    return float(logsumexp(order * left + (1 - order) * right)) / (order - 1)


@pytest.mark.parametrize("variance", [1.0, 4.0, 25.0])
@pytest.mark.parametrize("shift", [1, 3])
def test_exact_divergences_are_within_the_bound(variance, shift):
    for order in (2, 3, 8):
        found = exact_divergence(order, variance=variance, shift=shift)
        assert found <= divergence(order, norms=(shift, shift), variance=variance)
        # two coordinates alike: twice the divergence, √2 and 2 times the norms
        bound = divergence(order, norms=(math.sqrt(2) * shift, 2 * shift), variance=variance)
        assert 2 * found <= bound


def test_the_bound_by_hand():
    # order 2, norms 2 and 3, variance 4: 2·4/8, and the lesser of (3·4 + 18)/64 and 9/8
    assert divergence(2, norms=(2.0, 3.0), variance=4.0) == pytest.approx(1 + 30 / 64)
    # order 40: 40·4/8, and (79·4 + 18)/64 is now the greater
    assert divergence(40, norms=(2.0, 3.0), variance=4.0) == pytest.approx(20 + 9 / 8)


def test_epsilon_has_its_ends():
    assert whole(14).epsilon(0) == 0
    silent = SkellamSum(noise_multiplier=0.0, steps=64.0, size=9, delta=1e-5)
    assert math.isinf(silent.epsilon(1))
    assert whole(14).epsilon(1) < whole(14).epsilon(2) < whole(12).epsilon(2)


@pytest.mark.parametrize("variance", [20.0, 77.5, 900.0])
def test_draws_have_the_skellam_probabilities(variance):
    assert chi_square(drawn(100_000, variance), variance) > 1e-3


@pytest.mark.parametrize("factor", [2 / 3, 3 / 2])
def test_chi_square_rejects_another_deviation(factor):
    assert chi_square(drawn(20_000, 100.0), 100.0 * factor**2) < 1e-9


@pytest.mark.parametrize("variance", [2.0**30, 2.0**52])
def test_a_wide_draw_is_normal(variance):
    draws = drawn(50_000, variance) / math.sqrt(variance)
    levels = [stats.chi2(50_000).cdf(np.square(draws / f).sum()) for f in (2 / 3, 1.0, 3 / 2)]
    assert levels[0] > 1 - 1e-9
    assert 1e-3 < levels[1] < 1 - 1e-3
    assert levels[2] < 1e-9
    assert stats.kstest(draws, "norm").pvalue > 1e-3


def test_shares_of_many_devices_add_up_to_the_noise_of_one():
    shares = [drawn(40_000, 20.0, device) for device in range(10)]
    assert chi_square(np.sum(shares, axis=0), 200.0) > 1e-3


def test_coordinates_and_streams_are_independent():
    one, two = drawn(50_000, 50.0, 1), drawn(50_000, 50.0, 2)
    for left, right in [(one[:-1], one[1:]), (one, two), (one**2, two**2)]:
        assert abs(np.corrcoef(left, right)[0, 1]) * math.sqrt(50_000) < 4


def test_log_probabilities_are_those_of_poisson():
    numbers = np.arange(60.0)
    expected = stats.poisson.logpmf(numbers, 10.0)
    # Stirling's series at 1 is off by 4e-4, where the probability is 4e-5 of the mode's
    assert _log_probability(numbers, mean=10.0) == pytest.approx(expected, abs=1e-3)
    assert _log_probability(numbers[5:], mean=10.0) == pytest.approx(expected[5:], abs=1e-8)


@pytest.mark.parametrize("deviations", [-6, -1, 0, 1, 6])
def test_log_probabilities_keep_their_digits_at_a_large_mean(deviations):
    mean = 2.0**50 / 3
    number = math.floor(mean + deviations * math.sqrt(mean))
    with mpmath.workdps(60):
        exact = number * mpmath.log(mean) - mean - mpmath.loggamma(number + 1)
    found = _log_probability(np.array([float(number)]), mean=mean)[0]
    assert found == pytest.approx(float(exact), abs=1e-6)


@pytest.mark.parametrize("size", [0, 1, 5])
def test_a_draw_has_the_size_asked_for_and_is_int64(size):
    draws = drawn(size, 30.0)
    assert draws.shape == (size,)
    assert draws.dtype == np.int64


@pytest.mark.parametrize("variance", [19.0, 2.0**53, math.nan])
def test_a_variance_that_the_sampler_does_not_reach_is_refused(variance):
    with pytest.raises(ValueError, match=r"^a Skellam variance of .* must lie between 20"):
        drawn(1, variance)
