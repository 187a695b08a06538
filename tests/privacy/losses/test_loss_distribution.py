"""Sums of losses by hand for a coin that lies in a third of its answers, and where they end."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.accounting import analytic_gaussian
from privacy.losses import loss_distribution
from privacy.losses.loss_distribution import LossDistribution, crossing, mixed
from privacy.losses.step_losses import of_step

# A secret bit is told as it is in two of three cases: the loss is ln 2 or its negative.
BIT = LossDistribution(
    interval=math.log(2),
    losses=np.array([-1, 0, 1]) * math.log(2),
    logarithms=np.log([1 / 3, 1e-300, 2 / 3]),
    infinite=0.0,
)
NEAR = {"rel": 1e-5}


def test_delta_of_a_bit_released_once_and_twice():
    """Once 2/3 - e^ε / 3; twice 4/9 (1 - e^ε / 4)."""
    assert BIT.deltas(1, epsilons=np.log([1.0, 1.5])) == pytest.approx([1 / 3, 1 / 6], **NEAR)
    assert BIT.deltas(2, epsilons=np.log([1.0, 2.0])) == pytest.approx([1 / 3, 2 / 9], **NEAR)
    assert BIT.deltas(1, epsilons=np.array([math.log(2)])) == pytest.approx([0], abs=1e-6)


def test_epsilon_of_a_bit_released_once_and_twice():
    assert BIT.epsilon(1, delta=1 / 6) == pytest.approx(math.log(1.5), **NEAR)
    assert BIT.epsilon(2, delta=2 / 9) == pytest.approx(math.log(2), **NEAR)
    assert BIT.epsilon(1, delta=0.4) == 0.0


@given(steps=st.integers(1, 40), delta=st.floats(1e-6, 0.1))
@settings(deadline=None)
def test_epsilon_and_delta_of_many_bits_are_those_of_the_binomial(steps, delta):
    """k truths of n have the loss (2k - n) ln 2 with the probability C(n, k) 2^k / 3^n."""
    truths = np.arange(steps + 1)
    masses = np.array([math.comb(steps, k) * 2.0**k / 3.0**steps for k in truths])
    losses = (2 * truths - steps) * math.log(2)

    def exact(epsilon):
        return masses @ np.maximum(-np.expm1(epsilon - losses), 0)

    found = BIT.epsilon(steps, delta=delta)
    if found > 0:
        assert (1 - 1e-5) * delta <= exact(found) <= delta
    (told,) = BIT.deltas(steps, epsilons=np.array([found]))
    # what is set aside is a share of the δ that is aimed at, up to a thousand times this one
    assert exact(found) * (1 - 1e-9) <= told <= exact(found) * (1 + 1e-3) + 1e-9


def test_an_infinite_loss_is_in_delta_whatever_epsilon():
    """A tenth lost in one step, and 1 - 0.9² in two."""
    lossy = BIT.with_infinite(0.1)
    assert BIT.infinite == 0.0
    far = np.array([50.0])
    assert lossy.deltas(1, epsilons=far) == pytest.approx([0.1], rel=1e-4)
    assert lossy.deltas(2, epsilons=far) == pytest.approx([0.19], rel=1e-4)
    assert lossy.epsilon(2, delta=0.19) == math.inf
    assert lossy.epsilon(2, delta=0.2) < 2 * math.log(2)


def test_losses_are_weighted_by_the_tilt():
    """At tilt 1 the mean of e^loss is 2/3 · 2 + 1/3 / 2 = 3/2, of which the truth has 8/9."""
    weights, cumulant = BIT.tilted(1.0)
    assert weights == pytest.approx([1 / 9, 0, 8 / 9], abs=1e-12)
    assert cumulant == pytest.approx(math.log(1.5))


def test_where_the_mean_above_epsilon_crosses_the_room():
    """Sums of 1 and 3, half each, and room 1/4: 1/2 (1 - e^(ε - 3)) = 1/4 at 3 - ln 2."""
    masses = np.array([0.0, 0.5, 0.0, 0.5])
    assert crossing(masses, 1.0, room=0.25) == pytest.approx(3 - math.log(2))
    assert crossing(masses, 1.0, room=0.9) == 0.0


def test_a_pair_that_reveals_which_it_is_has_the_mean_of_all_of_them():
    """A bit in half of the cases, nothing in a quarter, two equals in a quarter."""
    moved = LossDistribution(
        interval=math.log(2),
        losses=np.array([2, 3]) * math.log(2),
        logarithms=np.log([0.5, 0.25]),
        infinite=0.25,
    )
    found = mixed([(0.5, BIT), (0.25, moved)], still=0.25, interval=math.log(2))
    assert found.losses == pytest.approx(np.arange(-1, 4) * math.log(2))
    assert np.exp(found.logarithms) == pytest.approx([1 / 6, 1 / 4, 1 / 3, 1 / 8, 1 / 16])
    assert found.infinite == pytest.approx(1 / 16)


def test_two_equals_alone_have_no_loss():
    found = mixed([], still=1.0, interval=0.5)
    assert found.losses.tolist() == [0.0]
    assert found.epsilon(100, delta=1e-5) == 0.0


def test_sums_too_long_for_memory_are_bounded_by_chernoff(monkeypatch):
    """Of a Gaussian of ρ = 1/2: ρ + 2 √(ρ ln 10⁵) = 5.2985."""
    losses, _ = of_step(1.0, 10.0, interval=0.01)
    exact = analytic_gaussian.epsilon(1.0, delta=1e-5)
    short = losses.epsilon(100, delta=1e-5)
    (told,) = losses.deltas(100, epsilons=np.array([exact]))
    monkeypatch.setattr(loss_distribution, "MOST_DOTS", 10)
    long = losses.epsilon(100, delta=1e-5)
    assert exact < short < long
    assert 5.2985 < long < 1.01 * 5.2985
    (bound,) = losses.deltas(100, epsilons=np.array([exact]))
    assert 1e-5 < told < bound < 1


def test_a_delta_that_an_infinite_loss_uses_up_leaves_no_epsilon():
    both = of_step(0.5, 1.0, interval=0.01)
    assert any(math.isinf(losses.epsilon(1000, delta=1e-30)) for losses in both)


def test_a_sum_too_long_for_the_transform_is_bounded_without_it():
    found = max(one.epsilon(10**5, delta=1e-5) for one in of_step(1.0, 1.0, interval=0.01))
    exact = analytic_gaussian.epsilon(10**-2.5, delta=1e-5)
    assert exact < found < 1.01 * exact
