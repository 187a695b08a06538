"""Steps of several kinds: closed forms, one kind as two, and every bound an upper one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.accounting import analytic_gaussian
from privacy.losses import joint_losses
from privacy.losses.joint_losses import JointLosses
from privacy.losses.loss_distribution import LossDistribution
from privacy.losses.step_losses import of_step

WIDTH = 1e-3


def gaussian(noise, interval=WIDTH):
    return of_step(1.0, noise, interval=interval)[0]


def closed(*parts, delta):
    """Gaussians add the squares of what they are over their noise."""
    squares = sum(times / noise**2 for noise, times in parts)
    return analytic_gaussian.epsilon(1 / math.sqrt(squares), delta=delta)


def joint(*parts, interval=WIDTH):
    return JointLosses([(gaussian(noise, interval), times) for noise, times in parts])


@pytest.mark.parametrize("delta", [1e-3, 1e-6, 1e-12])
@pytest.mark.parametrize(
    "parts", [[(2.0, 1)], [(3.0, 4), (5.0, 2)], [(20.0, 100), (4.0, 3), (9.0, 7)]]
)
def test_gaussians_add_their_squares(parts, delta):
    found = joint(*parts).epsilon(delta=delta)
    exact = closed(*parts, delta=delta)
    assert exact * (1 - 1e-8) <= found <= exact * (1 + 1e-3)


@given(
    rates=st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)),
    noises=st.tuples(st.floats(1, 5), st.floats(1, 5)),
    times=st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_kinds_does_not_matter_and_each_costs(rates, noises, times):
    kinds = [
        (of_step(rate, noise, interval=0.01)[0], count)
        for rate, noise, count in zip(rates, noises, times, strict=True)
    ]
    found = JointLosses(kinds).epsilon(delta=1e-5)
    assert JointLosses(kinds[::-1]).epsilon(delta=1e-5) == pytest.approx(found, rel=1e-6)
    alone = [losses.epsilon(count, delta=1e-5) for losses, count in kinds]
    assert max(alone) <= found * (1 + 1e-6)
    halves = [losses.epsilon(count, delta=5e-6) for losses, count in kinds]
    assert found <= sum(halves) * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(("first", "second"), [(1, 1), (5, 30)])
def test_one_kind_counted_in_two_parts_costs_what_it_does_in_one(which, first, second):
    losses = of_step(0.2, 1.5, interval=WIDTH)[which]
    both = JointLosses([(losses, first), (losses, second)]).epsilon(delta=1e-5)
    assert both == pytest.approx(losses.epsilon(first + second, delta=1e-5), rel=1e-5)


def test_a_bit_that_is_released_and_one_that_is_released_better():
    """Truths of 2/3 and of 4/5: all losses are multiples of ln 2, the largest of them 3 ln 2.

    Both are true in 8/15; the second alone in 4/15, with a loss of ln 2. So at ε = ln 2 only
    the first of these is above: 8/15 (1 - 1/4) = 2/5.
    """
    told, better = (
        LossDistribution(
            interval=math.log(2),
            losses=np.arange(-most, most + 1) * math.log(2),
            logarithms=np.log([false, *[1e-300] * (2 * most - 1), 1 - false]),
            infinite=0.0,
        )
        for most, false in ((1, 1 / 3), (2, 1 / 5))
    )
    found = JointLosses([(told, 1), (better, 1)]).epsilon(delta=2 / 5)
    assert found == pytest.approx(math.log(2), rel=1e-5)


def test_infinite_losses_of_any_kind_use_delta_up():
    """A tenth of one and a fifth of the other: 1 - 0.9 · 0.8 = 0.28."""
    lossy = [(gaussian(5.0).with_infinite(0.1), 1), (gaussian(9.0).with_infinite(0.2), 1)]
    assert JointLosses(lossy).epsilon(delta=0.28) == math.inf
    assert JointLosses(lossy).epsilon(delta=0.29) < math.inf


def test_sums_too_long_for_memory_are_bounded_by_chernoff(monkeypatch):
    """Together a Gaussian of ρ = 1/4 + 1/4: ρ + 2 √(ρ ln 10⁵) = 5.2985."""
    parts = [(10.0, 50), (20.0, 200)]
    short = joint(*parts).epsilon(delta=1e-5)
    monkeypatch.setattr(joint_losses, "MOST_DOTS", 10)
    long = joint(*parts).epsilon(delta=1e-5)
    assert closed(*parts, delta=1e-5) < short < long
    assert 5.2985 < long < 1.01 * 5.2985
