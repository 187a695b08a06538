import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.optimizers import OPTIMIZERS, Adam, Momentum, Sgd, Yogi
from server.aggregation.optimizer import RULES, RecentAverage, step

SGD = Sgd(lr=0.5)
MOMENTUM = Momentum(lr=0.5, beta1=0.9)
ADAM = Adam(lr=0.5, beta1=0.9, beta2=0.99, tau=0.1)
YOGI = Yogi(lr=0.5, beta1=0.9, beta2=0.99, tau=0.1)
ALL = (SGD, MOMENTUM, ADAM, YOGI)


def run(settings_, start, updates):
    moments = ()
    parameters = np.float32(start)
    for update in updates:
        moments, parameters = step(
            settings_, moments, parameters=parameters, mean_update=np.float64(update)
        )
    return moments, parameters


def test_every_optimizer_that_can_be_configured_has_a_rule():
    assert set(RULES) == set(OPTIMIZERS.values())


@pytest.mark.parametrize(("optimizer", "momentum"), [(SGD, 0.0), (MOMENTUM, 0.9)])
def test_sgd_and_momentum_equal_torch_on_the_negative_update(optimizer, momentum):
    random = np.random.default_rng(0)
    start, updates = random.normal(size=5), random.normal(size=(6, 5))
    weight = torch.nn.Parameter(torch.tensor(start, dtype=torch.float32))
    reference = torch.optim.SGD([weight], lr=0.5, momentum=momentum)
    for update in updates:
        weight.grad = -torch.tensor(update, dtype=torch.float32)
        reference.step()
    _, parameters = run(optimizer, start, updates)
    assert parameters == pytest.approx(weight.detach().numpy(), abs=1e-5)


def test_adam_worked_by_hand_for_two_rounds():
    # v0 = .01. Round 1: m = .2, v = .99*.01 + .01*4 = .0499; x = 1 + .5*.2/(sqrt(.0499) + .1)
    # Round 2: m = .9*.2 + .1*(-1) = .08, v = .99*.0499 + .01 = .059401
    first = 1 + 0.5 * 0.2 / (math.sqrt(0.0499) + 0.1)
    second = first + 0.5 * 0.08 / (math.sqrt(0.059401) + 0.1)
    moments, parameters = run(ADAM, [1.0], [[2.0], [-1.0]])
    assert parameters[0] == pytest.approx(second, abs=1e-6)
    assert np.ravel(moments) == pytest.approx([0.08, 0.059401])


def test_yogi_worked_by_hand_for_a_rising_and_a_falling_second_moment():
    # v0 = .01 < 4: v = .01 + .01*4 = .05. Then .05 > .0001: v = .05 - .01*.0001 = .049999
    first = 1 + 0.5 * 0.2 / (math.sqrt(0.05) + 0.1)
    second = first + 0.5 * 0.181 / (math.sqrt(0.049999) + 0.1)
    moments, parameters = run(YOGI, [1.0], [[2.0], [0.01]])
    assert parameters[0] == pytest.approx(second, abs=1e-6)
    assert np.ravel(moments) == pytest.approx([0.181, 0.049999])


def loop_reference(settings_, start, updates, grow):
    """Scalar by scalar, with python floats."""
    result = []
    for j, x in enumerate(start):
        m, v = 0.0, settings_.tau**2
        for update in updates:
            delta = float(update[j])
            m = settings_.beta1 * m + (1 - settings_.beta1) * delta
            v = grow(v, delta * delta, settings_.beta2)
            x += settings_.lr * m / (math.sqrt(v) + settings_.tau)
        result.append(x)
    return result


@pytest.mark.parametrize(
    ("optimizer", "grow"),
    [
        (ADAM, lambda v, square, b: b * v + (1 - b) * square),
        (YOGI, lambda v, square, b: v + (1 - b) * square * ((square > v) - (square < v))),
    ],
)
def test_the_adaptive_optimizers_equal_a_slow_loop(optimizer, grow):
    random = np.random.default_rng(1)
    start, updates = random.normal(size=4), random.normal(size=(10, 4))
    _, parameters = run(optimizer, start, updates)
    assert parameters == pytest.approx(
        loop_reference(optimizer, start, updates, grow), abs=1e-5
    )


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8))
def test_yogi_keeps_its_second_moment_positive(updates):
    (_, second), parameters = run(YOGI, [0.0], [[update] for update in updates])
    assert second[0] > 0
    assert np.isfinite(parameters).all()


@pytest.mark.parametrize("optimizer", ALL)
def test_a_step_changes_none_of_its_arguments_and_gives_float32(optimizer):
    parameters, update = np.float32([1, 2]), np.float64([0.5, -0.5])
    moments, _ = step(optimizer, (), parameters=parameters, mean_update=update)
    for array in (*moments, parameters, update):
        array.flags.writeable = False
    _, moved = step(optimizer, moments, parameters=parameters, mean_update=update)
    assert moved.dtype == np.float32
    assert parameters.tolist() == [1, 2]


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from(ALL),
    st.lists(st.lists(st.floats(-1, 1), min_size=2, max_size=2), min_size=1, max_size=12),
)
def test_no_step_goes_farther_than_its_settings_tell_a_device(optimizer, updates):
    longest = max(np.linalg.norm(update) for update in updates)
    moments, at = (), np.zeros(2, np.float32)
    for update in updates:
        before = at
        moments, at = step(optimizer, moments, parameters=at, mean_update=np.array(update))
        assert np.linalg.norm(at - before) <= optimizer.farthest(longest) * (1 + 1e-6) + 1e-6


def test_learning_rate_one_with_sgd_adds_the_mean_update_itself():
    _, parameters = run(Sgd(lr=1.0), [1.0, 2.0], [[0.25, -0.5]])
    assert parameters.tolist() == [1.25, 1.5]


def test_the_model_is_the_average_of_the_last_rounds_and_of_all_while_they_are_fewer():
    recent = RecentAverage(2)

    averages = [recent.add(np.float32([value, -value])) for value in (2, 4, 10)]

    assert [average.tolist() for average in averages] == [[2, -2], [3, -3], [7, -7]]


def test_one_round_is_the_last_parameters_to_the_bit():
    recent = RecentAverage(1)
    recent.add(np.float32([9]))
    last = np.float32([0.1])

    assert recent.add(last) is last


def test_what_was_averaged_cannot_be_written():
    recent = RecentAverage(3)
    recent.add(np.float32([1]))

    with pytest.raises(ValueError, match="read-only"):
        recent.add(np.float32([2]))[0] = 5
