"""A grid is as wide as its share of ε allows, in steps that any two grids have in common."""

import math

import pytest

from privacy.accounting import analytic_gaussian
from privacy.losses import loss_grid, step_losses
from privacy.losses.loss_grid import width
from privacy.sampling.crowds import alone


def test_a_width_worked_by_hand():
    """ε = 1, 100 steps and δ = e⁻⁵: √(12 · 2e-4 / (100 · 11)) is 14.77 times the fine one."""
    assert width(1.0, steps=100, delta=math.exp(-5)) == pytest.approx(14e-4)
    # 10,000 steps: 1.477 times, and a million: 0.1477, between an eighth and a quarter
    assert width(1.0, steps=10_000, delta=math.exp(-5)) == pytest.approx(1e-4)
    assert width(1.0, steps=10**6, delta=math.exp(-5)) == pytest.approx(1e-4 / 8)


@pytest.mark.parametrize("steps", [1, 16, 2000, 10**6])
@pytest.mark.parametrize("epsilon", [0.05, 1.0, 30.0])
def test_every_width_is_a_multiple_of_the_fine_one_or_that_of_it(epsilon, steps):
    times = width(epsilon, steps=steps, delta=1e-5) / loss_grid.FINE
    times = max(times, 1 / times)
    assert times == pytest.approx(round(times), abs=1e-9)
    assert width(epsilon, steps=16, delta=1e-5) > 100 * width(epsilon, steps=16**5, delta=1e-5)


def test_the_rule_for_a_fine_grid_is_right_where_losses_are_spread():
    exact = analytic_gaussian.epsilon(2.5, delta=1e-5)
    fine = width(exact, steps=100, delta=1e-5)

    def added(grid):
        return (
            step_losses.epsilon(
                alone(1.0), noise_multiplier=25.0, steps=100, delta=1e-5, interval=grid
            )
            / exact
            - 1
        )

    assert loss_grid.SHARE / 2 < added(fine) < 1.2 * loss_grid.SHARE
    assert 10 < added(4 * fine) / added(fine) < 20


def test_next_to_no_epsilon_is_looked_for_no_more_finely_than_a_hundredth():
    found = width(0.01, steps=1, delta=1e-5)
    assert (
        width(0.0, steps=1, delta=1e-5)
        == found
        == pytest.approx(0.01 * 0.049 / 23**0.5, rel=0.2)
    )
