import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from privacy.noise import SecureSource, SeededSource
from privacy.sampling.poisson import PoissonSampling

STEPS, MOMENTS, RATE = 4000, 20, 0.3
NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=1, max_size=30).map(
    lambda numbers: np.array(numbers, np.int64)
)


@pytest.fixture(scope="module")
def draws():
    """[steps, moments] coins of many steps, each with its own stream."""
    source, sampling = SeededSource(21), PoissonSampling(RATE)
    numbers = np.arange(MOMENTS)
    return np.stack(
        [sampling.draw(numbers, stream=source.stream("step", step)) for step in range(STEPS)]
    )


@given(NUMBERS, st.integers(0, 2**32), st.floats(0.01, 1), st.data())
@settings(deadline=None, max_examples=100)
def test_removing_any_moment_leaves_the_coins_of_the_others(numbers, seed, rate, data):
    gone = data.draw(st.integers(0, len(numbers) - 1))
    stream, sampling = SeededSource(seed).stream("coins"), PoissonSampling(rate)
    before = sampling.draw(numbers, stream=stream)
    after = sampling.draw(np.delete(numbers, gone), stream=stream)
    assert np.array_equal(after, np.delete(before, gone))


@given(NUMBERS, st.integers(0, 2**32), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_the_order_of_the_moments_does_not_matter(numbers, seed, random):
    order = list(range(len(numbers)))
    random.shuffle(order)
    stream, sampling = SeededSource(seed).stream("coins"), PoissonSampling(0.5)
    plain = sampling.draw(numbers, stream=stream)
    assert np.array_equal(sampling.draw(numbers[order], stream=stream), plain[order])


def test_each_moment_is_included_as_often_as_a_binomial_says(draws):
    counts = draws.sum(0)
    levels = [stats.binomtest(int(count), STEPS, RATE).pvalue for count in counts]
    # twenty tests at once
    assert min(levels) > 1e-3 / MOMENTS


def test_the_number_of_moments_of_a_step_is_binomial(draws):
    seen = np.bincount(draws.sum(1), minlength=MOMENTS + 1)
    expected = STEPS * stats.binom(MOMENTS, RATE).pmf(np.arange(MOMENTS + 1))
    # cells 2 to 10 hold at least a hundred each; the two ends are put together
    groups = np.clip(np.arange(MOMENTS + 1), 2, 10) - 2
    observed = np.bincount(groups, weights=seen)
    hoped = np.bincount(groups, weights=expected)
    assert stats.chisquare(observed, hoped).pvalue > 1e-3


def test_moments_are_pairwise_independent(draws):
    correlations = np.corrcoef(draws.T.astype(float))[np.triu_indices(MOMENTS, 1)]
    # 190 pairs at once
    assert np.abs(correlations).max() * np.sqrt(STEPS) < 4.5


def test_consecutive_steps_are_independent(draws):
    for moment in range(MOMENTS):
        coins = draws[:, moment].astype(float)
        assert abs(np.corrcoef(coins[:-1], coins[1:])[0, 1]) * np.sqrt(STEPS) < 4.5


def test_a_rate_of_one_includes_every_moment():
    drawn = PoissonSampling(1.0).draw(np.arange(10_000), stream=SecureSource().stream())
    assert drawn.all()


def test_a_rate_of_zero_includes_none():
    drawn = PoissonSampling(0.0).draw(np.arange(10_000), stream=SecureSource().stream())
    assert not drawn.any()


def test_an_empty_library_is_legal():
    drawn = PoissonSampling(0.5).draw(np.array([], np.int64), stream=SeededSource(1).stream())
    assert drawn.shape == (0,)
    assert drawn.dtype == np.bool_


def test_a_draw_may_be_empty():
    sampling, source = PoissonSampling(0.1), SeededSource(2)
    sizes = [
        sampling.draw(np.arange(5), stream=source.stream(step)).sum() for step in range(50)
    ]
    # 50 * .9^5 = 29.5 empty draws
    assert 20 < sizes.count(0) < 40


def test_a_sampling_is_a_frozen_value():
    sampling = PoissonSampling(0.5)
    assert hash(sampling) == hash(PoissonSampling(0.5))
    with pytest.raises(dataclasses.FrozenInstanceError):
        sampling.rate = 1.0
