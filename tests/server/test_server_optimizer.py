import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from server.aggregation.optimizer import initial_state, step
from server.settings import Server


def chosen(optimizer, **changes):
    constants = {"lr": 0.5, "beta1": 0.9, "beta2": 0.99, "tau": 0.1} | changes
    return Server(
        rounds=3,
        cohort=2.0,
        averaged=1,
        optimizer=optimizer,
        timeout=1.0,
        **constants,
    )


def run(settings_, start, updates):
    state = initial_state(settings_, len(start))
    parameters = np.float32(start)
    for update in updates:
        state, parameters = step(
            settings_, state, parameters=parameters, mean_update=np.float64(update)
        )
    return state, parameters


@pytest.mark.parametrize(("optimizer", "momentum"), [("sgd", 0.0), ("momentum", 0.9)])
def test_sgd_and_momentum_equal_torch_on_the_negative_update(optimizer, momentum):
    random = np.random.default_rng(0)
    start, updates = random.normal(size=5), random.normal(size=(6, 5))
    weight = torch.nn.Parameter(torch.tensor(start, dtype=torch.float32))
    reference = torch.optim.SGD([weight], lr=0.5, momentum=momentum)
    for update in updates:
        weight.grad = -torch.tensor(update, dtype=torch.float32)
        reference.step()
    _, parameters = run(chosen(optimizer), start, updates)
    assert parameters == pytest.approx(weight.detach().numpy(), abs=1e-5)


def test_adam_worked_by_hand_for_two_rounds():
    # v0 = .01. Round 1: m = .2, v = .99*.01 + .01*4 = .0499; x = 1 + .5*.2/(sqrt(.0499) + .1)
    # Round 2: m = .9*.2 + .1*(-1) = .08, v = .99*.0499 + .01 = .059401
    first = 1 + 0.5 * 0.2 / (math.sqrt(0.0499) + 0.1)
    second = first + 0.5 * 0.08 / (math.sqrt(0.059401) + 0.1)
    state, parameters = run(chosen("adam"), [1.0], [[2.0], [-1.0]])
    assert parameters[0] == pytest.approx(second, abs=1e-6)
    assert state.second[0] == pytest.approx(0.059401)


def test_yogi_worked_by_hand_for_a_rising_and_a_falling_second_moment():
    # v0 = .01 < 4: v = .01 + .01*4 = .05. Then .05 > .0001: v = .05 - .01*.0001 = .049999
    first = 1 + 0.5 * 0.2 / (math.sqrt(0.05) + 0.1)
    second = first + 0.5 * 0.181 / (math.sqrt(0.049999) + 0.1)
    state, parameters = run(chosen("yogi"), [1.0], [[2.0], [0.01]])
    assert parameters[0] == pytest.approx(second, abs=1e-6)
    assert state.second[0] == pytest.approx(0.049999)


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
        ("adam", lambda v, square, b: b * v + (1 - b) * square),
        ("yogi", lambda v, square, b: v + (1 - b) * square * ((square > v) - (square < v))),
    ],
)
def test_the_adaptive_optimizers_equal_a_slow_loop(optimizer, grow):
    random = np.random.default_rng(1)
    start, updates = random.normal(size=4), random.normal(size=(10, 4))
    settings_ = chosen(optimizer)
    _, parameters = run(settings_, start, updates)
    assert parameters == pytest.approx(
        loop_reference(settings_, start, updates, grow), abs=1e-5
    )


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8))
def test_yogi_keeps_its_second_moment_positive(updates):
    state, parameters = run(chosen("yogi"), [0.0], [[update] for update in updates])
    assert state.second[0] > 0
    assert np.isfinite(parameters).all()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "yogi"])
def test_a_step_changes_none_of_its_arguments_and_gives_float32(optimizer):
    settings_ = chosen(optimizer)
    state = initial_state(settings_, 2)
    parameters, update = np.float32([1, 2]), np.float64([0.5, -0.5])
    for array in (state.first, state.second, parameters, update):
        array.flags.writeable = False
    _, moved = step(settings_, state, parameters=parameters, mean_update=update)
    assert moved.dtype == np.float32
    assert parameters.tolist() == [1, 2]


def test_learning_rate_one_with_sgd_adds_the_mean_update_itself():
    _, parameters = run(chosen("sgd", lr=1.0), [1.0, 2.0], [[0.25, -0.5]])
    assert parameters.tolist() == [1.25, 1.5]
