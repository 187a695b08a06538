import numpy as np
import pytest
from scipy.linalg import toeplitz as matrix

from privacy.correlation import toeplitz
from privacy.correlation.noise import CorrelatedNoise
from privacy.correlation.strategy import matrix_strategy
from privacy.noise import SeededSource

ROUNDS, APART, TIMES = 40, 8, 5
NAMES = ("banded", "sqrt", "buffered", "independent")


def chosen(name, *, rounds=ROUNDS, apart=APART, times=TIMES):
    return matrix_strategy(name, rounds, separation=apart, participations=times, buffers=3)


def deviation(name, *, rounds=ROUNDS, apart=APART, times=TIMES):
    column = np.array(chosen(name, rounds=rounds, apart=apart, times=times).coefficients)
    return toeplitz.prefix_deviation(column, rounds, separation=apart, participations=times)


@pytest.mark.parametrize("name", NAMES)
def test_the_noise_of_a_run_is_the_inverse_of_the_strategy_times_the_draws(name):
    strategy = chosen(name)
    column = np.zeros(ROUNDS)
    column[: len(strategy.coefficients)] = strategy.coefficients
    explicit = matrix(column, np.zeros(ROUNDS))
    streams = [SeededSource(1).stream(number) for number in range(ROUNDS)]
    draws = np.stack([stream.gaussian(3) for stream in streams])
    noise = CorrelatedNoise(strategy.recurrence, size=3)
    rows = [noise.draw(SeededSource(1).stream(number)) for number in range(ROUNDS)]
    assert np.allclose(rows, np.linalg.solve(explicit, draws), atol=1e-10)


def test_the_memory_is_that_of_the_bands_or_of_the_buffers():
    assert [chosen(name).recurrence.memory for name in NAMES] == [7, 7, 3, 0]


def test_the_best_comes_first_and_correlation_pays():
    errors = [deviation(name) for name in ("banded", "sqrt", "independent")]
    assert errors == sorted(errors)
    assert errors[2] > 1.9 * errors[0]
    assert errors[0] < deviation("buffered") < errors[2] / 1.7


def test_independent_noise_has_three_times_the_prefix_error_of_the_published_setting():
    """200 rounds, separation 20, ten participations: 31.7 against 9.98 (2306.08153)."""
    setting = {"rounds": 200, "apart": 20, "times": 10}
    assert deviation("independent", **setting) == pytest.approx(31.70, abs=0.005)
    assert deviation("banded", **setting) == pytest.approx(9.98, abs=0.005)


def test_no_more_bands_than_rounds_are_used():
    assert len(chosen("banded", rounds=5, apart=8, times=1).coefficients) == 5
