import numpy as np
import pytest
import torch

from client.training.optimizer import MomentOptimizer
from privacy.noise import SeededSource


def parameters():
    one = torch.nn.Parameter(torch.zeros(2))
    two = torch.nn.Parameter(torch.zeros(1, 1))
    return [one, two]


def optimizer(lab, chosen, **changes):
    terms = lab.terms(lr=1.0, **changes)
    streams = (SeededSource(1).stream("noise", step) for step in range(9))
    return MomentOptimizer(torch.optim.SGD(chosen, lr=1.0), terms, noise=streams)


def set_gradients(chosen, rows):
    chosen[0].grad_sample = torch.tensor([row[:2] for row in rows])
    chosen[1].grad_sample = torch.tensor([row[2:] for row in rows]).unsqueeze(-1)


def values(chosen):
    return torch.cat([parameter.detach().flatten() for parameter in chosen]).tolist()


def test_the_norm_is_taken_over_all_parameters_together(lab):
    chosen = parameters()
    steps = optimizer(lab, chosen, clip=3.5, denominator=2.0)
    set_gradients(chosen, [[2.0, 3.0, 6.0], [0.1, 0.0, 0.0]])
    steps.step()
    assert values(chosen) == pytest.approx([-(1.0 + 0.1) / 2, -1.5 / 2, -3.0 / 2])


def test_skipped_steps_add_up_and_are_released_once(lab):
    chosen = parameters()
    steps = optimizer(lab, chosen, clip=10.0, denominator=1.0)
    set_gradients(chosen, [[1.0, 0.0, 0.0]])
    steps.signal_skip_step(True)
    steps.step()
    steps.zero_grad()
    assert values(chosen) == [0.0, 0.0, 0.0]
    set_gradients(chosen, [[0.0, 2.0, 3.0]])
    steps.signal_skip_step(False)
    steps.step()
    assert values(chosen) == pytest.approx([-1.0, -2.0, -3.0])


def test_the_noise_is_the_stream_of_the_step_over_the_denominator(lab):
    chosen = parameters()
    steps = optimizer(lab, chosen, clip=0.5, noise_multiplier=3.0, denominator=4.0)
    expected = np.zeros(3)
    for step in range(2):
        set_gradients(chosen, [[0.0, 0.0, 0.0]])
        steps.step()
        steps.zero_grad()
        expected -= 3.0 * 0.5 * SeededSource(1).stream("noise", step).gaussian(3) / 4.0
    assert values(chosen) == pytest.approx(expected.tolist(), rel=1e-6)


def test_what_is_not_finite_counts_as_zero_in_every_step(lab):
    chosen = parameters()
    steps = optimizer(lab, chosen, clip=10.0, denominator=1.0)
    for _ in range(2):
        rows = [[1.0, 0.0, 0.0], [float("nan"), 0.0, 0.0], [0.0, 0.0, float("inf")]]
        set_gradients(chosen, rows)
        steps.step()
        steps.zero_grad()
    assert values(chosen) == pytest.approx([-2.0, 0.0, 0.0])
    assert steps.non_finite == 4


def test_a_release_before_any_gradient_is_refused(lab):
    with pytest.raises(RuntimeError, match="before its gradients were clipped"):
        optimizer(lab, parameters()).add_noise()
