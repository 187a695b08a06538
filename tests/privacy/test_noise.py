import itertools
import math

import numpy as np
import pytest
from scipy import stats

from privacy.noise import ChaChaStream, SecureSource, SeededSource

# RFC 8439, appendix A.1, test vector 1: the keystream of the key of zeros begins so
FIRST_WORD = bytes.fromhex("76b8e0ada0f13d90")
SECOND_WORD = bytes.fromhex("405d6ae55386bd28")


class Keystream:
    """Stands for the cipher and hands out chosen bytes."""

    def __init__(self, block):
        self._block = block

    def update(self, data):
        return (self._block * len(data))[: len(data)]


def stream_of(block):
    stream = ChaChaStream(bytes(32))
    stream._cipher = Keystream(block)
    return stream


def word(bits):
    """The eight keystream bytes whose upper 53 bits are ``bits``."""
    return (bits << 11).to_bytes(8, "little")


def unit(eight_bytes):
    return (int.from_bytes(eight_bytes, "little") >> 11) / 2**53


def correlation(left, right):
    return abs(np.corrcoef(left, right)[0, 1])


def test_the_variance_of_a_million_draws_is_one_by_chi_square():
    draws = SeededSource(1).stream("noise").gaussian(1_000_000)
    level = stats.chi2(1_000_000).cdf(np.square(draws).sum())
    assert 1e-3 < level < 1 - 1e-3


def test_the_mean_of_a_million_draws_is_zero():
    draws = SeededSource(2).stream("noise").gaussian(1_000_000)
    assert abs(draws.mean()) * 1000 < 3.3


def test_draws_are_standard_normal_by_kolmogorov_and_smirnov():
    draws = SeededSource(3).stream("noise").gaussian(100_000)
    assert stats.kstest(draws, "norm").pvalue > 1e-3


@pytest.mark.parametrize("deviation", [2 / 3, 3 / 2])
def test_another_deviation_is_rejected_by_kolmogorov_and_smirnov(deviation):
    draws = SeededSource(3).stream("noise").gaussian(100_000)
    assert stats.kstest(draws, "norm", args=(0, deviation)).pvalue < 1e-9


def test_a_secure_stream_is_standard_normal_too():
    draws = SecureSource().stream("noise").gaussian(100_000)
    # of a million honest runs about one fails
    assert stats.kstest(draws, "norm").pvalue > 1e-6


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("lag", [1, 2, 4096, 8192])
def test_coordinates_of_one_draw_are_independent(lag, power):
    # 4096 apart lie the two halves of one Box-Muller pair, which share a radius
    draws = SeededSource(4).stream("noise").gaussian(100_000) ** power
    assert correlation(draws[:-lag], draws[lag:]) * math.sqrt(100_000 - lag) < 4


@pytest.mark.parametrize(
    "other",
    [
        ("noise", "device", 0, "round", 1),
        ("noise", "device", 1, "round", 0),
        ("sampling", "device", 0, "round", 0),
        ("noise", "device", 0, "round", 0, "step"),
    ],
)
def test_streams_of_rounds_devices_and_purposes_are_independent(other):
    source = SeededSource(5)
    one = source.stream("noise", "device", 0, "round", 0).gaussian(100_000)
    two = source.stream(*other).gaussian(100_000)
    assert correlation(one, two) * math.sqrt(100_000) < 4
    assert correlation(one**2, two**2) * math.sqrt(100_000) < 4


def test_the_same_seed_and_path_give_the_same_stream():
    one = SeededSource(6, "device").stream("noise", 3)
    two = SeededSource(6, "device").stream("noise", 3)
    numbers = np.arange(9)
    assert np.array_equal(one.gaussian(9), two.gaussian(9))
    assert np.array_equal(one.keyed_uniform(numbers), two.keyed_uniform(numbers))


def test_a_source_with_a_path_continues_the_path():
    prefixed = SeededSource(6, "device", 2).stream("noise").gaussian(4)
    assert np.array_equal(prefixed, SeededSource(6).stream("device", 2, "noise").gaussian(4))


def test_paths_that_look_alike_give_distinct_streams():
    paths = [
        (),
        ("",),
        ("", ""),
        ("a", "bc"),
        ("ab", "c"),
        ("abc",),
        ("astr:bc",),
        ("a", "b", "c"),
        ("a/bc",),
        ("a,bc",),
        (1,),
        ("1",),
        ("int:1",),
        (1, 2),
        (12,),
        ("12",),
        (-1, 2),
        (2**70,),
    ]
    source = SeededSource(7)
    draws = [source.stream(*path).gaussian(2).tolist() for path in paths]
    assert all(one != two for one, two in itertools.combinations(draws, 2))
    coins = [source.stream(*path).keyed_uniform(np.arange(1)).item() for path in paths]
    assert len(set(coins)) == len(paths)


def test_distinct_seeds_give_distinct_streams_and_a_seed_is_no_path():
    draws = {SeededSource(seed).stream("noise").gaussian(1).item() for seed in range(100)}
    assert len(draws) == 100
    assert SeededSource(1, 2).stream().gaussian(1) != SeededSource(12).stream().gaussian(1)


def test_two_secure_streams_of_one_path_differ():
    source = SecureSource()
    one, two = source.stream("noise", 0), source.stream("noise", 0)
    numbers = np.arange(8)
    assert not np.isin(one.gaussian(8), two.gaussian(8)).any()
    assert not np.isin(one.keyed_uniform(numbers), two.keyed_uniform(numbers)).any()


def test_every_secure_stream_is_keyed_by_32_bytes_of_the_operating_system(monkeypatch):
    asked = []

    def urandom(size):
        asked.append(size)
        return bytes([len(asked)]) * size

    monkeypatch.setattr("privacy.noise.os.urandom", urandom)
    source = SecureSource()
    source.stream("noise")
    stream = source.stream("noise")
    assert asked == [32, 32]
    assert np.array_equal(stream.gaussian(2), ChaChaStream(b"\2" * 32).gaussian(2))


def test_sources_say_whether_they_are_secure():
    assert SecureSource().secure
    assert not SeededSource(0).secure


def test_a_draw_is_the_box_muller_transform_of_the_published_keystream():
    first, second = unit(FIRST_WORD), unit(SECOND_WORD)
    radius = math.sqrt(-2 * math.log(first + 2**-53))
    angle = 2 * math.pi * second
    expected = [radius * math.cos(angle), radius * math.sin(angle)]
    assert ChaChaStream(bytes(32)).gaussian(2) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("block", [b"\0", b"\xff"], ids=["zeros", "ones"])
def test_the_most_extreme_keystreams_give_finite_draws(block):
    draws = stream_of(block).gaussian(10)
    assert np.isfinite(draws).all()
    assert np.abs(draws).max() < 8.58


def test_the_rarest_uniform_reaches_eight_and_a_half_deviations():
    # u = 2^-53 and angle 0: sqrt(2 * 53 * ln 2) = 8.5717
    draws = stream_of(word(0) + word(0)).gaussian(2)
    assert draws == pytest.approx([8.5717, 0], abs=1e-4)


def test_the_tail_beyond_the_end_of_float32_generators_is_reached_in_fine_steps():
    # the hundred rarest uniforms all lie beyond 5.768, and no two of them meet
    tail = [stream_of(word(rank) + word(0)).gaussian(2)[0].item() for rank in range(100)]
    assert min(tail) > 7.9
    assert tail == sorted(tail, reverse=True)
    assert len(set(tail)) == 100


def test_half_a_turn_gives_the_negative_tail():
    draws = stream_of(word(0) + word(2**52)).gaussian(2)
    assert draws[0] == pytest.approx(-8.5717, abs=1e-4)


def test_consecutive_draws_continue_the_stream():
    stream = SeededSource(8).stream("noise")
    draws = np.concatenate([stream.gaussian(size) for size in (1000, 1000, 1, 1, 998)])
    assert len(np.unique(draws)) == 3000
    assert stats.kstest(draws, "norm").pvalue > 1e-3


def test_the_second_draw_is_made_of_the_next_keystream_words():
    whole = SeededSource(8).stream("noise").gaussian(8)
    stream = SeededSource(8).stream("noise")
    first, second = stream.gaussian(4), stream.gaussian(4)
    # radii from words 0-3 and angles from 4-7, against 0-1 with 2-3 and then 4-5 with 6-7
    assert np.hypot(first[:2], first[2:]) == pytest.approx(np.hypot(whole[:4], whole[4:])[:2])
    assert not np.isin(second, first).any()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 10_001])
def test_a_draw_has_the_size_asked_for_and_is_float64(size):
    draws = SeededSource(9).stream().gaussian(size)
    assert draws.shape == (size,)
    assert draws.dtype == np.float64


def test_keyed_draws_are_uniform_by_kolmogorov_and_smirnov():
    draws = SeededSource(10).stream("coins").keyed_uniform(np.arange(100_000))
    assert draws.min() >= 0
    assert draws.max() < 1
    assert stats.kstest(draws, "uniform").pvalue > 1e-3


def test_keyed_draws_of_neighbouring_numbers_and_streams_are_independent():
    source = SeededSource(10)
    one = source.stream("coins", 0).keyed_uniform(np.arange(100_000))
    two = source.stream("coins", 1).keyed_uniform(np.arange(100_000))
    assert correlation(one[:-1], one[1:]) * math.sqrt(99_999) < 4
    assert correlation(one, two) * math.sqrt(100_000) < 4


def test_a_keyed_draw_is_a_function_of_its_number_alone():
    stream = SeededSource(11).stream("coins")
    alone = [stream.keyed_uniform(np.array([number])).item() for number in (5, -3, 2**62)]
    stream.gaussian(7)
    together = stream.keyed_uniform(np.array([2**62, 9, 5, -3]))
    assert together[[2, 3, 0]].tolist() == alone


def test_no_numbers_give_no_keyed_draws():
    draws = SeededSource(11).stream().keyed_uniform(np.array([], np.int64))
    assert draws.shape == (0,)


@pytest.mark.parametrize("deviation", [1e-300, 1e-170, 1e-154, 1e-9, 1e12, 1e155, 1e300])
def test_noise_of_any_deviation_is_finite_and_not_zero(deviation):
    """Its square would be 0 below 1e-162 and infinite above 1e154."""
    draws = np.zeros(4_000)
    SecureSource().stream().add_gaussian(draws, deviation=deviation)
    assert np.isfinite(draws).all()
    assert draws.all()
    # the standard error of the deviation of 4,000 draws is 1.1%
    assert (draws / deviation).std() == pytest.approx(1, abs=0.06)
