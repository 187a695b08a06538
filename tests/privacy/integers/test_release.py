import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from privacy.integers.grid import IntegerGrid
from privacy.integers.release import integer_release
from privacy.mechanisms.independent.integer_gaussian import IntegerGaussian, integer_sum
from privacy.noise import SeededSource
from privacy.sampling.capped import CappedPoissonSampling

SIZE = 6
STEPS = 2**10
updates = arrays(np.float32, SIZE, elements=st.floats(width=32))


def mechanism(noise=1.0, clip=0.5, steps=STEPS):
    sampling = CappedPoissonSampling(devices=9, rate=0.5, cap=9)
    return IntegerGaussian(
        sampling=sampling, noise_multiplier=noise, clip=clip, delta=1e-5, steps=steps
    )


def released(some, *, seed=1, size=SIZE, **changes):
    stream = SeededSource(seed).stream("noise")
    return integer_sum(some, mechanism(**changes), size=size, stream=stream)


def steps_of(values, *, clip=0.5, steps=STEPS):
    """The integers that a release was made of."""
    whole = np.rint(values * (steps / clip)).astype(np.int64)
    assert np.array_equal(whole * (clip / steps), values)
    return whole


def usual(count, seed=5, size=SIZE):
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)


@given(others=st.lists(updates, max_size=3), own=updates)
def test_a_device_moves_the_release_by_a_whole_vector_of_at_most_the_bound(others, own):
    there = steps_of(released([*others, own]))
    gone = steps_of(released(others))
    zero = steps_of(released([*others, np.zeros(SIZE, np.float32)]))
    assert np.array_equal(gone, zero)
    assert sum(int(entry) ** 2 for entry in there - gone) <= STEPS**2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_update_that_is_not_finite_does_not_move_the_release(bad):
    some = list(usual(3))
    assert np.array_equal(released([*some, np.float32([bad] * SIZE)]), released(some))


def test_the_noise_has_the_deviation_of_the_mechanism_where_nobody_came():
    draws = released([], size=60_000, noise=1.5, clip=0.2, steps=2**18) / (1.5 * 0.2)
    levels = [stats.chi2(60_000).cdf(np.square(draws / f).sum()) for f in (2 / 3, 1.0, 3 / 2)]
    assert levels[0] > 1 - 1e-9
    assert 1e-3 < levels[1] < 1 - 1e-3
    assert levels[2] < 1e-9
    assert stats.kstest(draws, "norm").pvalue > 1e-3


def test_the_sum_is_the_same_in_any_order_to_the_last_bit():
    some = usual(40)
    assert np.array_equal(released(some), released(some[::-1]))
    parts = [steps_of(released(part, noise=0.0)) for part in (some[:17], some[17:])]
    assert np.array_equal(steps_of(released(some, noise=0.0)), parts[0] + parts[1])


def test_the_sum_without_noise_is_that_of_the_updates_up_to_half_a_step_each():
    some = usual(20) / 20
    found = released(some, noise=0.0, clip=1.0, steps=2**18)
    assert np.abs(found - some.astype(np.float64).sum(0)).max() <= 20 / 2**19


def test_another_stream_is_another_noise():
    assert not np.isin(released([]), released([], seed=2)).any()


@pytest.mark.parametrize("shape", [(1,), (SIZE + 1,), (), (1, SIZE)])
def test_an_update_that_would_be_spread_over_the_sum_is_refused(shape):
    with pytest.raises(ValueError, match=rf"must have the shape \({SIZE},\)"):
        released([np.ones(shape, np.float32)])


def test_masks_modulo_a_power_of_two_leave_the_sum():
    some, modulus = usual(5) / 4, 2**32
    integers = [mechanism().grid.integers(update) for update in some]
    masks = np.random.default_rng(8).integers(modulus, size=(5, SIZE))
    masks[0] = -masks[1:].sum(0)
    hidden = sum((whole + mask) % modulus for whole, mask in zip(integers, masks, strict=True))
    centred = (hidden + modulus // 2) % modulus - modulus // 2
    assert np.array_equal(centred, steps_of(released(some, noise=0.0)))


def released_step(gradients, *, noise=1.0, seed=1, clip=0.5, steps=STEPS):
    """A step of DP-SGD in integers, by blocks of three moments."""
    grid = IntegerGrid(clip=clip, steps=steps)
    total = np.zeros(gradients.shape[1], np.int64)
    for first in range(0, len(gradients), 3):
        total += grid.integers_of_rows(gradients[first : first + 3])[0]
    stream = SeededSource(seed).stream("noise")
    return integer_release(total, grid, deviation=grid.deviation(noise), stream=stream)


@given(others=arrays(np.float32, (4, SIZE), elements=st.floats(width=32)), own=updates)
def test_a_moment_moves_a_step_by_a_whole_vector_of_at_most_the_bound(others, own):
    there = steps_of(released_step(np.vstack([others, own])))
    gone = steps_of(released_step(others))
    assert sum(int(entry) ** 2 for entry in there - gone) <= STEPS**2


def test_a_step_is_the_same_to_the_last_bit_in_any_order_of_the_moments():
    gradients = usual(40)
    assert np.array_equal(released_step(gradients), released_step(gradients[::-1]))


def test_the_noise_of_a_step_has_its_deviation_where_no_moment_was_drawn():
    draws = released_step(np.zeros((0, 60_000), np.float32), noise=1.5, clip=0.2, steps=2**18)
    draws /= 1.5 * 0.2
    levels = [stats.chi2(60_000).cdf(np.square(draws / f).sum()) for f in (2 / 3, 1.0, 3 / 2)]
    assert levels[0] > 1 - 1e-9
    assert 1e-3 < levels[1] < 1 - 1e-3
    assert levels[2] < 1e-9
    assert stats.kstest(draws, "norm").pvalue > 1e-3


def test_a_step_without_noise_is_the_clipped_sum_up_to_half_a_step_each():
    gradients = usual(20)
    norms = np.linalg.norm(gradients.astype(np.float64), axis=1)
    clipped = gradients * np.minimum(1, 0.5 / norms)[:, None]
    found = released_step(gradients, noise=0.0, steps=2**18)
    # half a step for rounding, √6/2 for what a long moment is shortened by
    assert np.abs(found - clipped.sum(0)).max() <= 20 * 2 * 0.5 / 2**18


def test_a_release_leaves_the_sum_as_it_was():
    total = np.arange(5)
    grid = IntegerGrid(clip=1.0, steps=4)
    integer_release(total, grid, deviation=4, stream=SeededSource(1).stream("noise"))
    assert total.tolist() == [0, 1, 2, 3, 4]
