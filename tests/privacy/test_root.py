"""The search by itself, on curves whose crossing is known, and on grids that cost nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import accounting, root
from privacy.root import Range, boldest_kept, settled, width

NOISE = Range(lowest=0.1, highest=1e4, power=-1.0)
ROUNDS = Range(lowest=1, highest=10**6, power=0.6, whole=True)


def curve(power, *, scale=1.0, error=0.0, tried=None):
    """ε = scale · value^power, to which a grid adds as its width squared."""

    def bound(value, grid):
        if tried is not None:
            tried.append((value, grid))
        return scale * value**power * (1 + error * grid**2)

    return bound


@given(
    power=st.floats(-9, -0.3),
    crossing=st.floats(0.2, 5000),
    near=st.floats(0.1, 1e4),
)
def test_noise_is_found_from_anywhere_to_half_a_percent(power, crossing, near):
    bound = curve(power, scale=crossing**-power)
    found = boldest_kept(bound, 1.0, NOISE, near=near, grid=0.01)
    assert bound(found, 0.01) <= 1
    assert crossing <= found <= 1.005 * crossing


@given(power=st.floats(0.1, 2), most=st.integers(1, 10**6 - 1), near=st.integers(1, 10**6))
def test_whole_numbers_are_found_to_the_last_in_few_trials(power, most, near):
    tried = []
    scale = (1 - root.MARGIN) * (most + 0.5) ** -power
    bound = curve(power, scale=scale, tried=tried)
    assert boldest_kept(bound, 1.0, ROUNDS, near=near, grid=accounting.FINE) == most
    assert len(tried) < 40


@given(
    jump=st.floats(0.2, 5000),
    below=st.floats(3, 1e300) | st.just(math.inf),
    above=st.floats(0, 0.99),
)
def test_a_jump_over_the_target_is_bracketed(jump, below, above):
    found = boldest_kept(
        lambda value, grid: above if value >= jump else below,
        1.0,
        NOISE,
        near=1.0,
        grid=accounting.FINE,
    )
    assert jump <= found <= 1.005 * jump


def test_what_keeps_the_promise_everywhere_or_nowhere_is_told_by_the_ends():
    def find(epsilon, within):
        return boldest_kept(lambda _, __: epsilon, 1.0, within, near=3, grid=0.01)

    assert (find(0.5, NOISE), find(0.5, ROUNDS)) == (0.1, 10**6)
    assert find(2.0, NOISE) is None
    assert find(2.0, ROUNDS) is None


def test_a_grid_that_adds_much_gives_way_and_one_that_adds_little_does_not():
    tried = []
    bound = curve(-1.0, error=100.0, tried=tried)
    found = boldest_kept(bound, 1.0, NOISE, near=1.0, grid=0.08)
    # they add 64%, 4%, 0.25% and 0.014%
    assert sorted({grid for _, grid in tried}) == pytest.approx([0.0012, 0.005, 0.02, 0.08])
    assert 1 < found < 1.005
    tried.clear()
    boldest_kept(curve(-1.0, error=0.1, tried=tried), 1.0, NOISE, near=1.0, grid=0.08)
    assert min(grid for _, grid in tried) == pytest.approx(0.02)


def test_an_epsilon_settles_where_a_finer_grid_gains_nothing():
    assert settled(lambda grid: 1 + 100 * grid**2, grid=0.08) == pytest.approx(1.000144)
    assert settled(lambda grid: 2.0, grid=accounting.FINE) == 2.0


@pytest.mark.parametrize("steps", [1, 16, 2000, 10**6])
@pytest.mark.parametrize("epsilon", [0.05, 1.0, 30.0])
def test_every_width_is_a_multiple_of_the_fine_one(epsilon, steps):
    times = width(epsilon, steps=steps, delta=1e-5) / accounting.FINE
    assert times >= 1
    assert times == pytest.approx(round(times), abs=1e-9)


@pytest.mark.parametrize(
    ("rate", "noise", "steps", "delta"),
    [(0.05, 2.15, 200, 1e-4), (1.0, 20.0, 50, 1e-5), (0.5, 2.0, 3, 1e-7)],
)
def test_a_multiple_of_the_fine_grid_never_has_a_smaller_epsilon(rate, noise, steps, delta):
    widths = [times * accounting.FINE for times in (1, 3, 20, 100)]
    found = [
        accounting.epsilon(
            rate=rate, noise_multiplier=noise, steps=steps, delta=delta, interval=interval
        )
        for interval in widths
    ]
    assert found == sorted(found)


def test_the_rule_for_a_first_grid_is_right_where_losses_are_spread():
    exact = accounting.epsilon(rate=1.0, noise_multiplier=25.0, steps=100, delta=1e-5)
    first = width(exact, steps=100, delta=1e-5)
    coarse = accounting.epsilon(
        rate=1.0, noise_multiplier=25.0, steps=100, delta=1e-5, interval=first
    )
    assert root.SHARE / 2 < coarse / exact - 1 < 1.2 * root.SHARE
