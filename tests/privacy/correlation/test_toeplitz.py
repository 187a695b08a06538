import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import toeplitz as lower
from scipy.optimize import approx_fprime

from privacy.correlation import toeplitz

# rounds, bands, least loss and the first coefficients, as jax-privacy finds them
GOLDEN = [
    (16, 4, 3.754024, [0.794875, 0.438433, 0.329274, 0.259862]),
    (200, 20, 9.963092, [0.595627, 0.334588, 0.270217, 0.237809]),
    (1000, 50, 18.498055, []),
]
# how the strategies of 200 rounds compare where devices come 10 times, 20 rounds apart
APART = {"separation": 20, "participations": 10}

falling = st.lists(st.floats(0, 1), min_size=1, max_size=9).map(
    lambda sizes: np.array([1.0, *sorted(sizes, reverse=True)])
)
signed = st.integers(1, 9).flatmap(
    lambda size: arrays(np.float64, size, elements=st.floats(-1, 1))
)


def matrix(column, rounds):
    whole = np.zeros(rounds)
    whole[: len(column)] = column[:rounds]
    return np.tril(lower(whole))


def patterns(rounds, separation, participations):
    for count in range(1, participations + 1):
        for pattern in itertools.combinations(range(rounds), count):
            if all(
                later - sooner >= separation for sooner, later in itertools.pairwise(pattern)
            ):
                yield list(pattern)


def worst(column, rounds, separation, participations):
    """Every pattern, and every sign of each update in it."""
    strategy = matrix(column, rounds)
    return max(
        float(np.linalg.norm(strategy[:, pattern] @ signs))
        for pattern in patterns(rounds, separation, participations)
        for signs in itertools.product([1, -1], repeat=len(pattern))
    )


@pytest.mark.parametrize(("rounds", "bands", "expected", "first"), GOLDEN)
def test_the_optimal_strategy_has_the_golden_loss_and_coefficients(
    rounds, bands, expected, first
):
    found = toeplitz.optimal(rounds, bands)
    assert toeplitz.mean_loss(found, rounds) == pytest.approx(expected, abs=1e-6)
    assert found[: len(first)] == pytest.approx(first, abs=1e-6)
    assert len(found) == bands


@pytest.mark.parametrize(("rounds", "bands", "_", "__"), GOLDEN)
def test_the_optimal_coefficients_have_norm_one_and_fall(rounds, bands, _, __):
    found = toeplitz.optimal(rounds, bands)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-12)
    assert (np.diff(found) < 0).all()
    assert found[-1] > 0


@pytest.mark.parametrize(("rounds", "expected"), [(16, 8.5), (200, 100.5), (1000, 500.5)])
def test_independent_noise_has_half_of_the_rounds_and_one_more(rounds, expected):
    assert toeplitz.mean_loss(np.ones(1), rounds) == pytest.approx(expected, abs=1e-9)
    assert toeplitz.optimal(rounds, 1).tolist() == [1]


@pytest.mark.parametrize(
    ("coefficients", "expected"),
    [
        (np.ones(1), 31.7),
        (toeplitz.optimal(200, 20), 9.98),
        (toeplitz.square_root(20), 10.36),
        (toeplitz.square_root(200), 13.84),
    ],
    ids=["independent", "banded", "square root", "unbanded square root"],
)
def test_the_deviation_at_equal_privacy_is_the_golden_one(coefficients, expected):
    found = toeplitz.prefix_deviation(coefficients, 200, **APART)
    assert found == pytest.approx(expected, abs=0.005)


def test_the_loss_of_two_rounds_is_worked_by_hand():
    # C = [[1, 0], [1/2, 1]]: C^-1 1 = (1, 1/2), mean(1, 1 + 1/4) * (1 + 1/4)
    assert toeplitz.mean_loss(np.array([1, 0.5]), 2) == pytest.approx(1.125 * 1.25)


def test_the_square_root_begins_as_by_hand():
    # binomial(2k, k) / 4^k
    assert toeplitz.square_root(4).tolist() == pytest.approx([1, 1 / 2, 3 / 8, 5 / 16])
    assert toeplitz.square_root(1).tolist() == [1]


def test_the_square_root_squared_is_the_matrix_of_prefix_sums():
    root = matrix(toeplitz.square_root(30), 30)
    assert root @ root == pytest.approx(np.tril(np.ones((30, 30))))


@given(falling, st.integers(1, 12))
@settings(deadline=None)
def test_the_inverse_is_the_matrix_inverse(coefficients, rounds):
    product = matrix(coefficients, rounds) @ matrix(
        toeplitz.inverse(coefficients, rounds), rounds
    )
    assert product == pytest.approx(np.eye(rounds), abs=1e-9)


@given(falling, st.integers(1, 12))
@settings(deadline=None)
def test_the_loss_is_that_of_the_matrices(coefficients, rounds):
    prefix = np.tril(np.ones((rounds, rounds))) @ np.linalg.inv(matrix(coefficients, rounds))
    expected = np.square(prefix).sum() / rounds * (coefficients @ coefficients)
    assert toeplitz.mean_loss(coefficients, rounds) == pytest.approx(expected, rel=1e-9)


@given(falling, st.integers(2, 12))
@settings(deadline=None)
def test_the_slope_of_the_error_is_that_of_finite_differences(coefficients, rounds):
    def error(column):
        return toeplitz.prefix_error(toeplitz.divided_by(column), rounds)[0]

    _, slope = toeplitz.prefix_error(toeplitz.divided_by(coefficients), rounds)
    expected = approx_fprime(coefficients, error, 1e-7)[:rounds]
    shared = slope[: len(expected)]
    assert shared == pytest.approx(expected, rel=1e-4, abs=1e-4)


@given(falling, st.integers(1, 7), st.integers(1, 7), st.integers(1, 4))
@settings(deadline=None)
def test_the_sensitivity_of_falling_coefficients_is_the_worst_of_all_patterns(
    coefficients, rounds, separation, participations
):
    found = toeplitz.sensitivity(
        coefficients, rounds, separation=separation, participations=participations
    )
    expected = worst(coefficients, rounds, separation, participations)
    assert found == pytest.approx(expected, rel=1e-12)


@given(signed, st.integers(1, 7), st.integers(1, 7), st.integers(1, 4))
@example(np.array([1.0, -1.0]), 2, 1, 2)
@settings(deadline=None)
def test_the_sensitivity_of_any_coefficients_is_never_too_little(
    coefficients, rounds, separation, participations
):
    found = toeplitz.sensitivity(
        coefficients, rounds, separation=separation, participations=participations
    )
    expected = worst(coefficients, rounds, separation, participations)
    assert found >= expected * (1 - 1e-12)
    if len(coefficients) <= separation:
        assert found == pytest.approx(expected, rel=1e-12)


def test_the_sensitivity_of_three_rounds_is_worked_by_hand():
    column = np.array([1, 0.5, 0.25])
    # rounds 0 and 2: (1, 1/2, 1/4 + 1); rounds 0, 1 and 2: (1, 3/2, 7/4)
    twice = toeplitz.sensitivity(column, 3, separation=2, participations=9)
    always = toeplitz.sensitivity(column, 3, separation=1, participations=9)
    assert twice == pytest.approx(math.sqrt(1 + 0.25 + 1.5625))
    assert always == pytest.approx(math.sqrt(1 + 2.25 + 3.0625))


def test_a_rising_strategy_is_bounded_by_its_envelope():
    # (0, 1) rises: its envelope is (1, 1), and rounds 0 and 1 of three give (1, 2, 1)
    found = toeplitz.sensitivity(np.array([0.0, 1]), 3, separation=1, participations=2)
    assert found == pytest.approx(math.sqrt(6))


@given(falling, st.integers(1, 30), st.integers(1, 9), st.integers(1, 9))
@settings(deadline=None)
def test_rarer_and_fewer_participations_never_move_more(
    coefficients, rounds, separation, participations
):
    def at(separation, participations):
        return toeplitz.sensitivity(
            coefficients, rounds, separation=separation, participations=participations
        )

    found = at(separation, participations)
    assert at(separation + 1, participations) <= found * (1 + 1e-12)
    assert found <= at(separation, participations + 1) * (1 + 1e-12)


@given(falling, st.floats(0.1, 10))
@settings(deadline=None)
def test_scale_changes_neither_loss_nor_deviation(coefficients, scale):
    scaled = scale * coefficients
    assert toeplitz.mean_loss(scaled, 20) == pytest.approx(toeplitz.mean_loss(coefficients, 20))
    assert toeplitz.prefix_deviation(scaled, 20, **APART) == pytest.approx(
        toeplitz.prefix_deviation(coefficients, 20, **APART)
    )


@given(st.integers(1, 40), st.data())
@settings(deadline=None, max_examples=40)
def test_no_change_of_a_coefficient_makes_the_optimal_strategy_better(rounds, data):
    bands = data.draw(st.integers(1, rounds))
    moved = data.draw(arrays(np.float64, bands, elements=st.floats(-1, 1)))
    best = toeplitz.optimal(rounds, bands)
    least = toeplitz.mean_loss(best, rounds)
    assert toeplitz.mean_loss(best + 1e-3 * moved, rounds) >= least * (1 - 1e-10)
    assert least <= toeplitz.mean_loss(toeplitz.square_root(bands), rounds) * (1 + 1e-10)


def test_more_bands_never_make_it_worse():
    losses = [
        toeplitz.mean_loss(toeplitz.optimal(60, bands), 60) for bands in (1, 2, 5, 20, 60)
    ]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("bands", [0, 17])
def test_bands_outside_the_rounds_are_refused(bands):
    with pytest.raises(ValueError, match="between 1 and the 16 rounds"):
        toeplitz.optimal(16, bands)


@pytest.mark.parametrize(
    ("rounds", "separation", "participations"), [(0, 1, 1), (1, 0, 1), (1, 1, 0)]
)
def test_a_sensitivity_of_no_rounds_is_refused(rounds, separation, participations):
    with pytest.raises(ValueError, match="at least 1"):
        toeplitz.sensitivity(
            np.ones(1), rounds, separation=separation, participations=participations
        )
