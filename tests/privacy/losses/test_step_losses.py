"""The losses of a step: on golden figures, against two libraries, and in closed form."""

import math
from itertools import pairwise

import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from golden_steps import GOLDEN
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from opacus.accountants import PRVAccountant

from privacy.accounting import analytic_gaussian, pld, rdp
from privacy.losses import step_losses
from privacy.losses.loss_grid import FINE, width
from privacy.losses.step_losses import of_step
from privacy.sampling.crowds import alone

LOSSES = [row[:6] for row in GOLDEN]


def epsilon(*, rate, **rest):
    return step_losses.epsilon(alone(rate), **rest)


def public(*, rate, noise_multiplier, steps, delta, interval):
    """By dp-accounting, on the same grid."""
    accountant = PLDAccountant(value_discretization_interval=interval)
    step = PoissonSampledDpEvent(rate, GaussianDpEvent(noise_multiplier))
    return accountant.compose(SelfComposedDpEvent(step, steps)).get_epsilon(delta)


def step(rate, noise, steps, delta):
    return {"rate": rate, "noise_multiplier": noise, "steps": steps, "delta": delta}


@pytest.mark.parametrize(("rate", "noise", "steps", "delta", "pld", "prv"), LOSSES)
def test_the_golden_table_is_met(rate, noise, steps, delta, pld, prv):
    found = epsilon(**step(rate, noise, steps, delta), interval=FINE)
    assert found == pytest.approx(pld, abs=6e-5)
    assert -5e-5 < found - prv < 1.1e-3


@pytest.mark.parametrize(("rate", "noise", "steps", "delta", "_", "__"), LOSSES)
def test_dp_accounting_says_the_same_on_the_same_grid(rate, noise, steps, delta, _, __):
    values = step(rate, noise, steps, delta)
    found = epsilon(**values, interval=40 * FINE)
    assert found == pytest.approx(public(**values, interval=40 * FINE), rel=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Optimal order", "ignore:divide by zero")
@pytest.mark.parametrize(("rate", "noise", "steps", "delta", "_", "__"), LOSSES)
def test_two_libraries_agree_at_their_finest(rate, noise, steps, delta, _, __):
    values = step(rate, noise, steps, delta)
    found = epsilon(**values, interval=FINE)
    assert found == pytest.approx(public(**values, interval=FINE), rel=1e-6)
    numerical = PRVAccountant()
    numerical.history = [(noise, rate, steps)]
    # an upper bound, that of an error of 0.01
    assert found <= numerical.get_epsilon(delta) <= found + 0.012


STEPS = {
    "rate": st.floats(-4, 0).map(lambda power: 10**power),
    "noise": st.floats(0.5, 30),
    "steps": st.integers(1, 2000),
    "delta": st.floats(-8, -2).map(lambda power: 10**power),
}


@settings(max_examples=15, deadline=None)
@given(**STEPS, times=st.integers(20, 200))
@example(rate=2e-5, noise=0.46, steps=1000, delta=1e-7, times=20)
@example(rate=1e-6, noise=0.2, steps=1, delta=1e-5, times=100)
@example(rate=1.0, noise=30.0, steps=1, delta=0.01, times=20)
def test_dp_accounting_says_the_same_of_other_steps(rate, noise, steps, delta, times):
    values = step(rate, noise, steps, delta)
    assume(rdp.epsilon(**values, orders=rdp.WHOLE_ORDERS) < pld.LARGEST_EPSILON)
    told = public(**values, interval=times * FINE)
    found = epsilon(**values, interval=times * FINE)
    assert found == pytest.approx(told, rel=1e-3, abs=1e-5)
    assert found >= told * (1 - 1e-4) - 1e-6


@settings(max_examples=15, deadline=None)
@given(**STEPS, more=st.floats(1.01, 2))
def test_more_of_what_costs_never_has_a_smaller_epsilon(rate, noise, steps, delta, more):
    def of(**changes):
        return epsilon(**step(rate, noise, steps, delta) | changes, interval=0.02)

    found = of() * (1 - 1e-6)
    assert of(rate=min(1.0, rate * more)) >= found
    assert of(steps=math.ceil(steps * more)) >= found
    assert of(noise_multiplier=noise / more) >= found
    assert of(delta=delta / more) >= found


@settings(max_examples=15, deadline=None)
@given(**STEPS)
def test_a_wider_grid_never_has_a_smaller_epsilon(rate, noise, steps, delta):
    values = step(rate, noise, steps, delta)
    found = [epsilon(**values, interval=times * 0.01) for times in (1, 2, 6, 24)]
    assert all(fine <= wide * (1 + 1e-6) + 1e-9 for fine, wide in pairwise(found))


@pytest.mark.parametrize("noise", [0.5, 2.0, 40.0])
@pytest.mark.parametrize("steps", [1, 3, 100])
@pytest.mark.parametrize("delta", [0.1, 1e-5, 1e-12])
def test_a_step_of_everybody_is_the_gaussian_mechanism(noise, steps, delta):
    exact = analytic_gaussian.epsilon(noise, delta=delta)
    interval = width(exact, steps=steps, delta=delta)
    found = epsilon(**step(1.0, noise * math.sqrt(steps), steps, delta), interval=interval)
    assert exact * (1 - 1e-8) - 1e-9 <= found <= exact * (1 + 5e-4)


def test_no_step_costs_nothing_and_no_noise_everything():
    assert epsilon(**step(0.1, 1.0, 0, 1e-5), interval=FINE) == 0
    assert math.isinf(epsilon(**step(0.1, 0.0, 1, 1e-5), interval=FINE))


def test_a_grid_has_no_more_dots_than_memory_is_for(monkeypatch):
    monkeypatch.setattr(step_losses, "MOST_DOTS", 1000)
    removed, added = of_step.__wrapped__(0.5, 0.06, interval=1e-4)
    assert len(removed.losses) == len(added.losses) <= 1002
    assert removed.interval > 0.1
