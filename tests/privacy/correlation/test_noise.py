import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.correlation import toeplitz
from privacy.correlation.buffered_toeplitz import BufferedToeplitz, optimal
from privacy.correlation.noise import BandedRecurrence, BufferedRecurrence, CorrelatedNoise
from privacy.noise import SecureSource, SeededSource

SIZE = 5
BANDED = BandedRecurrence(coefficients=tuple(toeplitz.optimal(40, 6).tolist()))
BUFFERED = BufferedRecurrence(strategy=optimal(40, 3, separation=40, participations=1))
BOTH = pytest.mark.parametrize("recurrence", [BANDED, BUFFERED], ids=["banded", "buffered"])


class Given:
    """A stream of chosen draws."""

    def __init__(self, draws):
        self._draws = np.array(draws, np.float64)

    def gaussian(self, size):
        assert len(self._draws) == size
        return self._draws


def rounds_of(recurrence, rows):
    noise = CorrelatedNoise(recurrence, size=rows.shape[1])
    return np.stack([noise.draw(Given(row)) for row in rows])


def explicit(coefficients, rows):
    """C^-1 Z by solving with the whole matrix."""
    rounds = len(rows)
    strategy = sum(
        value * np.eye(rounds, k=-lag) for lag, value in enumerate(coefficients[:rounds])
    )
    return np.linalg.solve(strategy, rows)


@given(
    st.integers(1, 40),
    st.integers(1, 45),
    st.integers(0, 2**31),
)
@settings(deadline=None)
def test_a_round_of_banded_noise_is_its_row_of_the_explicit_product(bands, rounds, seed):
    coefficients = toeplitz.optimal(40, bands)
    rows = SeededSource(seed).stream().gaussian(rounds * SIZE).reshape(rounds, SIZE)
    found = rounds_of(BandedRecurrence(coefficients=tuple(coefficients.tolist())), rows)
    assert np.abs(found - explicit(coefficients, rows)).max() < 1e-10


@given(
    st.lists(st.tuples(st.floats(0, 0.25), st.floats(0, 1)), min_size=1, max_size=4),
    st.integers(1, 45),
    st.integers(0, 2**31),
)
@settings(deadline=None)
def test_a_round_of_buffered_noise_is_its_row_of_the_explicit_product(pairs, rounds, seed):
    output, decay = zip(*pairs, strict=True)
    strategy = BufferedToeplitz(output=output, decay=decay)
    rows = SeededSource(seed).stream().gaussian(rounds * SIZE).reshape(rounds, SIZE)
    found = rounds_of(BufferedRecurrence(strategy=strategy), rows)
    assert np.abs(found - explicit(strategy.coefficients(rounds), rows)).max() < 1e-10


def test_a_thousand_rounds_of_fifty_bands_drift_nowhere():
    coefficients = toeplitz.optimal(1000, 50)
    rows = SeededSource(1).stream().gaussian(1000).reshape(1000, 1)
    found = rounds_of(BandedRecurrence(coefficients=tuple(coefficients.tolist())), rows)
    assert np.abs(found - explicit(coefficients, rows)).max() < 1e-10


def test_a_thousand_rounds_of_four_buffers_drift_nowhere():
    strategy = optimal(1000, 4, separation=100, participations=10)
    rows = SeededSource(1).stream().gaussian(1000).reshape(1000, 1)
    found = rounds_of(BufferedRecurrence(strategy=strategy), rows)
    assert np.abs(found - explicit(strategy.coefficients(1000), rows)).max() < 1e-10


def test_three_rounds_are_worked_by_hand():
    rows = np.array([[8.0], [2], [0]])
    # 2 n0 = 8; 2 n1 = 2 - n0; 2 n2 = 0 - n1
    banded = rounds_of(BandedRecurrence(coefficients=(2.0, 1.0)), rows)
    assert banded.ravel().tolist() == [4, -1, 0.5]
    # c = 1, 1/2, 1/4: n1 = 2 - 8/2, n2 = 0 - n1/2 - n0/4
    strategy = BufferedToeplitz(output=(0.5,), decay=(0.5,))
    buffered = rounds_of(BufferedRecurrence(strategy=strategy), rows)
    assert buffered.ravel().tolist() == [8, -2, -1]


def test_a_single_band_is_independent_noise():
    rows = SeededSource(2).stream().gaussian(12).reshape(4, 3)
    assert np.array_equal(rounds_of(BandedRecurrence(coefficients=(1.0,)), rows), rows)


def test_the_prefix_sums_of_the_noise_deviate_as_the_loss_says():
    rows = SeededSource(3).stream().gaussian(40 * 20_000).reshape(40, 20_000)
    found = np.cumsum(rounds_of(BANDED, rows), axis=0)
    column = np.array(BANDED.coefficients)
    assert np.square(found).mean() == pytest.approx(toeplitz.mean_loss(column, 40), rel=0.02)


def test_the_memory_is_the_bands_less_one_or_the_buffers():
    assert CorrelatedNoise(BANDED, size=SIZE).memory == 5
    assert CorrelatedNoise(BUFFERED, size=SIZE).memory == 3
    assert CorrelatedNoise(BandedRecurrence(coefficients=(1.0,)), size=SIZE).memory == 0


@BOTH
def test_the_state_holds_no_more_than_the_memory_in_float64(recurrence):
    noise = CorrelatedNoise(recurrence, size=SIZE)
    for _ in range(9):
        drawn = noise.draw(SecureSource().stream())
        assert drawn.shape == (SIZE,)
        assert drawn.dtype == np.float64
    state = noise.state()
    assert state["past"].shape == (noise.memory, SIZE)
    assert state["past"].dtype == np.float64
    assert state["rounds"] == noise.rounds == 9


@BOTH
@pytest.mark.parametrize("stop", [0, 1, 4, 5, 6, 13])
def test_noise_that_is_restored_goes_on_to_the_bit(recurrence, stop):
    source = SeededSource(4)
    whole = CorrelatedNoise(recurrence, size=SIZE)
    states, rows = [], []
    for number in range(20):
        states.append(whole.state())
        rows.append(whole.draw(source.stream("noise", number)))
    other = CorrelatedNoise(recurrence, size=SIZE)
    other.restore(states[stop])
    again = [other.draw(source.stream("noise", number)) for number in range(stop, 20)]
    assert np.array_equal(again, rows[stop:])


@BOTH
def test_a_state_and_what_is_restored_from_it_share_nothing(recurrence):
    noise = CorrelatedNoise(recurrence, size=SIZE)
    noise.draw(SecureSource().stream())
    state = noise.state()
    before = state["past"].copy()
    noise.restore(state)
    noise.draw(SecureSource().stream())
    assert np.array_equal(state["past"], before)


@BOTH
def test_what_was_drawn_does_not_change_with_what_the_caller_does_to_it(recurrence):
    source = SeededSource(5)
    kept, spoilt = (CorrelatedNoise(recurrence, size=SIZE) for _ in range(2))
    for number in range(8):
        expected = kept.draw(source.stream(number))
        found = spoilt.draw(source.stream(number))
        assert np.array_equal(found, expected)
        found *= 1000


def test_the_state_of_another_strategy_or_size_is_refused():
    state = CorrelatedNoise(BANDED, size=SIZE).state()
    with pytest.raises(ValueError, match="must have the shape"):
        CorrelatedNoise(BUFFERED, size=SIZE).restore(state)
    with pytest.raises(ValueError, match="must have the shape"):
        CorrelatedNoise(BANDED, size=SIZE + 1).restore(state)


@pytest.mark.parametrize("coefficients", [(), (0.0, 1.0), (-1.0,), (float("nan"),)])
def test_coefficients_without_a_positive_first_one_are_refused(coefficients):
    with pytest.raises(ValueError, match="must be positive"):
        BandedRecurrence(coefficients=coefficients)
