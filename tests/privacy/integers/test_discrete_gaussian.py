import ast
import inspect
import math

import numpy as np
import pytest
from scipy import stats

from privacy.integers import discrete_gaussian
from privacy.integers.discrete_gaussian import draw
from privacy.noise import ChaChaStream, SeededSource

# RFC 8439, appendix A.1, test vector 1: the keystream of the key of zeros begins so
FIRST_WORD = bytes.fromhex("76b8e0ada0f13d90")
SECOND_WORD = bytes.fromhex("405d6ae55386bd28")
FACTORS = [2 / 3, 1.0, 3 / 2]


class Scripted:
    """A stream of words that are given."""

    def __init__(self, *words):
        self._words = list(words)

    def words(self, size):
        some, self._words = self._words[:size], self._words[size:]
        return np.array(some, np.uint64)


def drawn(size, deviation, *path):
    return draw(size, deviation=deviation, stream=SeededSource(3).stream("noise", *path))


def exact(deviation):
    """Integers and their probabilities, farther than any draw."""
    numbers = np.arange(-math.ceil(12 * deviation), math.ceil(12 * deviation) + 1)
    weights = np.exp(-(numbers**2) / (2 * deviation**2))
    return numbers, weights / weights.sum()


def chi_square(draws, numbers, probabilities):
    """The p-value of the draws; numbers that are expected less than five times are pooled."""
    expected = probabilities * len(draws)
    usual = expected >= 5
    counts = np.bincount(draws - numbers[0], minlength=len(numbers))
    observed = np.append(counts[usual], counts[~usual].sum())
    wanted = np.append(expected[usual], expected[~usual].sum())
    return stats.chisquare(observed, wanted * observed.sum() / wanted.sum()).pvalue


def correlation(left, right):
    return abs(np.corrcoef(left, right)[0, 1])


@pytest.mark.parametrize("deviation", [1, 2, 3, 20])
def test_draws_have_the_exact_probabilities(deviation):
    draws = drawn(100_000, deviation)
    assert chi_square(draws, *exact(deviation)) > 1e-3


@pytest.mark.parametrize("factor", [2 / 3, 3 / 2])
def test_chi_square_rejects_another_deviation(factor):
    assert chi_square(drawn(20_000, 6), *exact(6 * factor)) < 1e-9


@pytest.mark.parametrize("deviation", [2**12, 2**20, 2**26])
def test_a_wide_draw_is_normal_by_chi_square_of_its_variance(deviation):
    draws = drawn(30_000, deviation) / deviation
    levels = [stats.chi2(30_000).cdf(np.square(draws / f).sum()) for f in FACTORS]
    assert levels[0] > 1 - 1e-9
    assert 1e-3 < levels[1] < 1 - 1e-3
    assert levels[2] < 1e-9
    assert stats.kstest(draws, "norm").pvalue > 1e-3


def test_the_standard_deviation_is_the_parameter():
    for deviation in (1, 2, 5):
        numbers, probabilities = exact(deviation)
        variance = float(probabilities @ numbers.astype(float) ** 2)
        assert math.sqrt(variance) == pytest.approx(deviation, rel=1e-6)


def test_the_lowest_digits_of_a_wide_draw_are_uniform():
    counts = np.bincount(drawn(50_000, 2**20, "digits") % 16, minlength=16)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_coordinates_and_streams_are_independent():
    one, two = drawn(50_000, 9, 1), drawn(50_000, 9, 2)
    for left, right in [(one[:-1], one[1:]), (one, two), (one**2, two**2), (one[1:], two[:-1])]:
        assert correlation(left, right) * math.sqrt(50_000) < 4


def test_blocks_of_a_long_draw_differ():
    whole = drawn(40_000, 2**20)
    assert len(np.unique(whole)) > 39_000
    assert not np.array_equal(whole[:16384], whole[16384:32768])


def test_one_stream_continues_and_another_of_its_path_repeats():
    stream = SeededSource(3).stream("noise")
    first, second = (draw(50, deviation=2**20, stream=stream) for _ in range(2))
    assert not np.isin(first, second).any()
    assert np.array_equal(first, drawn(50, 2**20))


@pytest.mark.parametrize("size", [0, 1, 3, 16_385])
def test_a_draw_has_the_size_asked_for_and_is_int64(size):
    draws = drawn(size, 5)
    assert draws.shape == (size,)
    assert draws.dtype == np.int64


def test_no_deviation_is_no_noise_and_takes_no_word():
    assert draw(3, deviation=0, stream=Scripted()).tolist() == [0, 0, 0]


@pytest.mark.parametrize("deviation", [-1, 2**26 + 1])
def test_a_deviation_whose_squares_would_not_fit_is_refused(deviation):
    with pytest.raises(ValueError, match=rf"^a deviation of {deviation} steps must lie"):
        draw(1, deviation=deviation, stream=Scripted())


def test_every_product_fits_in_62_bits():
    largest, farthest = discrete_gaussian.LARGEST, discrete_gaussian.FARTHEST
    # the last coin's amount, and what it is over up to the 512th coin of a row
    assert (farthest * largest - largest) ** 2 < discrete_gaussian.RANGE
    assert 512 * 2 * largest**2 <= discrete_gaussian.RANGE < 2**63


@pytest.mark.parametrize("amount", [0, 1, 3, 7, 10, 26])
def test_a_coin_decays_with_its_amount(amount):
    stream = SeededSource(4).stream(amount)
    heads = discrete_gaussian._decays(np.full(20_000, amount), over=10, stream=stream).sum()
    assert stats.binomtest(int(heads), 20_000, math.exp(-amount / 10)).pvalue > 1e-3


def test_words_that_would_favour_some_numbers_are_drawn_anew():
    # 3 does not divide 2^62: the last word is left over
    share = 2**62 // 3
    spare, last = 4 * 3 * share, 4 * (3 * share - 1)
    assert spare < 2**64
    stream = Scripted(spare, 0, spare, last)
    found = discrete_gaussian._uniform(2, below=3 * share, stream=stream) // share
    assert found.tolist() == [2, 0]


def test_a_coin_falls_heads_for_exactly_its_share_of_the_words():
    share = 2**62 // 3
    stream = Scripted(4 * (2 * share - 1), 4 * 2 * share)
    assert discrete_gaussian._coins(np.array([2, 2]), of=3, stream=stream).tolist() == [
        True,
        False,
    ]


def test_the_sampler_computes_in_integers_alone():
    tree = ast.parse(inspect.getsource(discrete_gaussian))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Div)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert getattr(node, "attr", "") not in {"float64", "exp", "log", "sqrt"}


def test_words_are_the_keystream():
    found = ChaChaStream(bytes(32)).words(2)
    assert found.dtype == np.uint64
    assert [int(word).to_bytes(8, "little") for word in found] == [FIRST_WORD, SECOND_WORD]


def test_words_continue_the_stream():
    whole = SeededSource(5).stream().words(7)
    stream = SeededSource(5).stream()
    assert np.array_equal(
        np.concatenate([stream.words(3), stream.words(0), stream.words(4)]), whole
    )
