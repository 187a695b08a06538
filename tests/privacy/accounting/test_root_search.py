"""The search by itself, on curves whose crossing is known, and on grids that cost nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.accounting import pld, root_search
from privacy.accounting.root_search import Range, boldest_kept, coarsest, expected
from privacy.losses import loss_grid

NOISE = Range(lowest=0.1, highest=1e4, power=-1.0)
ROUNDS = Range(lowest=1, highest=10**6, power=0.6, whole=True)


def curve(power, *, scale=1.0, tried=None):
    def bound(value):
        if tried is not None:
            tried.append(value)
        return scale * value**power

    return bound


@given(
    power=st.floats(-9, -0.3),
    crossing=st.floats(0.2, 5000),
    near=st.floats(0.1, 1e4),
)
def test_noise_is_found_from_anywhere_to_half_a_percent(power, crossing, near):
    bound = curve(power, scale=crossing**-power)
    found = boldest_kept(bound, 1.0, NOISE, near=near)
    assert bound(found) <= 1
    assert crossing <= found <= 1.005 * crossing


@given(power=st.floats(0.1, 2), most=st.integers(1, 10**6 - 1), near=st.integers(1, 10**6))
def test_whole_numbers_are_found_to_the_last_in_few_trials(power, most, near):
    tried = []
    scale = (1 - root_search.MARGIN) * (most + 0.5) ** -power
    bound = curve(power, scale=scale, tried=tried)
    assert boldest_kept(bound, 1.0, ROUNDS, near=near, nearness=0.0) == most
    assert len(tried) < 40


@given(
    jump=st.floats(0.2, 5000),
    below=st.floats(3, 1e300) | st.just(math.inf),
    above=st.floats(0, 0.99),
)
def test_a_jump_over_the_target_is_bracketed(jump, below, above):
    found = boldest_kept(lambda value: above if value >= jump else below, 1.0, NOISE, near=1.0)
    assert jump <= found <= 1.005 * jump


def test_what_keeps_the_promise_everywhere_or_nowhere_is_reported_by_the_ends():
    def find(epsilon, within):
        return boldest_kept(lambda _: epsilon, 1.0, within, near=3)

    assert (find(0.5, NOISE), find(0.5, ROUNDS)) == (0.1, 10**6)
    assert find(2.0, NOISE) is None
    assert find(2.0, ROUNDS) is None


def test_a_guess_that_is_near_enough_is_the_answer():
    tried = []
    assert boldest_kept(curve(-1.0, tried=tried), 1.0, NOISE, near=1.001) == 1.001
    assert tried == [1.001]


def grids(error):
    """ε = 1 / value, to which a grid adds as its width squared."""
    return lambda value, grid: (1 + error * grid**2) / value


def test_a_grid_that_moves_the_answer_gives_way_and_one_that_does_not_is_kept():
    def expect(error):
        return expected(grids(error), 1.0, NOISE, near=1.0, fine=lambda _: 0.001)

    # at 0.004 it adds 0.32%, at 0.002 0.08%
    value, grid = expect(200.0)
    assert grid == pytest.approx(0.002)
    assert 1.0004 < value < 1.003
    assert expect(0.1)[1] == pytest.approx(0.032)


def test_where_even_the_safest_value_breaks_the_promise_the_last_word_is_on_the_fine_grid():
    found = expected(lambda _, __: 2.0, 1.0, NOISE, near=1.0, fine=lambda _: 0.001)
    assert found == (1e4, 0.001)


def test_a_grid_that_is_too_coarse_for_its_own_answer_is_chosen_anew():
    asked = []

    def found(grid, _):
        asked.append(grid)
        return 100.0

    _, grid = coarsest(found, near=1.0, fine=lambda answer: 0.1 / answer)
    assert min(asked) == pytest.approx(0.001)
    assert grid == pytest.approx(0.032)


@pytest.mark.parametrize(
    ("rate", "noise", "steps", "delta"),
    [(0.05, 2.15, 200, 1e-4), (1.0, 20.0, 50, 1e-5), (0.5, 2.0, 3, 1e-7)],
)
def test_a_multiple_of_the_fine_grid_never_has_a_smaller_epsilon(rate, noise, steps, delta):
    widths = [times * loss_grid.FINE for times in (1, 3, 20, 100)]
    found = [
        pld.epsilon(
            rate=rate, noise_multiplier=noise, steps=steps, delta=delta, interval=interval
        )
        for interval in widths
    ]
    assert found == sorted(found)
