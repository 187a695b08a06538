import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad

from privacy.correlation import buffered_toeplitz, toeplitz
from privacy.correlation.buffered_toeplitz import BufferedToeplitz, optimal

APART = {"separation": 20, "participations": 10}


@st.composite
def strategies(draw):
    """Outputs that sum to at most 1, and decays."""
    buffers = draw(st.integers(1, 5))
    shares = np.array(draw(st.lists(st.floats(0, 1), min_size=buffers, max_size=buffers)))
    decay = draw(st.lists(st.floats(0, 1), min_size=buffers, max_size=buffers))
    output = shares / max(1.0, shares.sum())
    return BufferedToeplitz(output=tuple(output.tolist()), decay=tuple(decay))


def test_the_coefficients_are_worked_by_hand():
    strategy = BufferedToeplitz(output=(0.5, 0.25), decay=(0.5, 0.0))
    # 1, then 1/2 + 1/4, 1/4 + 0, 1/8 + 0
    assert strategy.coefficients(4).tolist() == [1, 0.75, 0.25, 0.125]
    assert strategy.coefficients(1).tolist() == [1]


@given(strategies(), st.integers(1, 40))
@settings(deadline=None)
def test_the_coefficients_never_increase(strategy, rounds):
    found = strategy.coefficients(rounds)
    assert len(found) == rounds
    assert (np.diff(found) <= 1e-15).all()
    assert (found >= 0).all()


@given(strategies(), st.integers(1, 40))
@settings(deadline=None)
def test_division_by_filters_is_division_by_the_coefficients(strategy, rounds):
    column = np.cos(np.arange(rounds))
    expected = toeplitz.divided_by(strategy.coefficients(rounds))(column)
    assert strategy.divided(column) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("buffers", [1, 2, 3])
@pytest.mark.parametrize("apart", [APART, {"separation": 1, "participations": 1}])
def test_the_gradient_is_that_of_finite_differences(buffers, apart, monkeypatch):
    losses = []
    least = toeplitz.least

    def kept(loss, start):
        losses.append(loss)
        return least(loss, start)

    monkeypatch.setattr(toeplitz, "least", kept)
    optimal(30, buffers, **apart)
    point = np.sin(np.arange(2 * buffers))
    off = check_grad(lambda at: losses[0](at)[0], lambda at: losses[0](at)[1], point)
    assert off < 1e-6


@pytest.mark.parametrize(
    ("buffers", "expected"), [(1, 10.584683), (2, 10.581164), (4, 10.581164)]
)
def test_the_least_deviation_of_two_hundred_rounds_is_pinned(buffers, expected):
    found = optimal(200, buffers, **APART).coefficients(200)
    assert toeplitz.prefix_deviation(found, 200, **APART) == pytest.approx(expected, abs=1e-5)


def test_the_golden_deviation_is_that_of_the_least_largest_error():
    # the two buffers whose error in the last round is least, found without a gradient
    other = BufferedToeplitz(output=(0.456821, 0.018506), decay=(0.906042, 1.0))
    found = toeplitz.prefix_deviation(other.coefficients(200), 200, **APART)
    assert found == pytest.approx(11.30, abs=0.01)


@pytest.mark.slow
@given(strategies())
@settings(deadline=None, max_examples=50)
def test_no_other_strategy_of_as_many_buffers_beats_the_optimal_one(other):
    best = optimal(30, len(other.decay), separation=6, participations=3)
    deviations = [
        toeplitz.prefix_deviation(each.coefficients(30), 30, separation=6, participations=3)
        for each in (best, other)
    ]
    assert deviations[0] <= deviations[1] * (1 + 1e-6)


@given(st.integers(1, 60), st.integers(1, 3), st.integers(1, 20), st.integers(1, 9))
@settings(deadline=None, max_examples=50)
def test_an_optimal_strategy_is_one_whose_sensitivity_is_exact(
    rounds, buffers, separation, participations
):
    found = optimal(rounds, buffers, separation=separation, participations=participations)
    assert min(found.output) >= 0
    assert sum(found.output) <= 1 + 1e-12
    assert 0 <= min(found.decay) <= max(found.decay) <= 1
    assert len(found.output) == len(found.decay) == buffers


def test_a_single_participation_comes_within_two_percent_of_the_best_matrix():
    found = optimal(200, 3, separation=200, participations=1).coefficients(200)
    best = toeplitz.mean_loss(toeplitz.optimal(200, 200), 200)
    assert best <= toeplitz.mean_loss(found, 200) <= 1.02 * best


@pytest.mark.parametrize("buffers", [0, 9])
def test_buffers_outside_one_to_eight_are_refused(buffers):
    with pytest.raises(ValueError, match="between 1 and 8"):
        optimal(10, buffers, separation=1, participations=1)


@pytest.mark.parametrize(("output", "decay"), [((0.5,), (0.5, 0.5)), ((), ())])
def test_outputs_and_decays_that_do_not_pair_are_refused(output, decay):
    with pytest.raises(ValueError, match="equally many"):
        BufferedToeplitz(output=output, decay=decay)


@pytest.mark.parametrize(
    ("output", "decay"), [((-0.1,), (0.5,)), ((0.1,), (-0.5,)), ((0.1,), (1.5,))]
)
def test_negative_outputs_and_decays_outside_the_unit_are_refused(output, decay):
    with pytest.raises(ValueError, match="must not be negative"):
        BufferedToeplitz(output=output, decay=decay)


def test_the_module_allows_as_many_buffers_as_its_message_says():
    assert buffered_toeplitz.MOST_BUFFERS == 8
    assert len(optimal(50, 8, separation=5, participations=10).decay) == 8
