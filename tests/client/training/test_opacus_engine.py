import gc
import math

import numpy as np
import pytest
import torch
from opacus.grad_sample import GradSampleModule
from opacus.optimizers import DPOptimizer
from rankings import ranking

from client.engine import Visit
from client.training.scoring import scores
from privacy.noise import SeededSource
from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.parameters import flatten
from ranking.settings import RANKINGS

LENGTHS = [2, 6, 3, 5]


@pytest.mark.parametrize("trained", RANKINGS)
def test_each_moments_gradient_is_that_of_torch_func(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)
    expected = lab.gradients(trained, start, examples)
    for row in range(len(LENGTHS)):
        found = -lab.delta(engine, start, lab.chosen(examples, [row]), lab.plain)
        np.testing.assert_allclose(found, expected[row], atol=1e-6)


@pytest.mark.parametrize("trained", RANKINGS)
def test_a_step_sums_the_clipped_gradients_of_torch_func(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)
    gradients = lab.gradients(trained, start, examples)
    norms = np.linalg.norm(gradients, axis=1, keepdims=True)
    clip = float(np.median(norms))
    expected = (gradients * np.minimum(1, clip / norms)).sum(0) / 4
    terms = lab.terms(clip=clip, denominator=4.0, lr=1.0)
    np.testing.assert_allclose(-lab.delta(engine, start, examples, terms), expected, atol=1e-6)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_trains(lab, loss):
    engine, start = lab.engine_and_start("taste", loss=loss)
    examples = lab.moments("taste", LENGTHS)
    expected = lab.gradients("taste", start, examples, loss).sum(0)
    found = -lab.delta(engine, start, examples, lab.plain)
    np.testing.assert_allclose(found, expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("trained", ["head", "lora"])
def test_three_steps_without_noise_are_those_of_opacus_own_optimizer(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)
    terms = lab.terms(steps=3, clip=0.2, denominator=4.0)
    ranker = lab.ranker_at(trained, start)
    names = trainable_names(ranker, trained)
    for name, parameter in ranker.named_parameters():
        parameter.requires_grad_(name in names)
    GradSampleModule(ranker, loss_reduction="sum")
    chosen = [parameter for parameter in ranker.parameters() if parameter.requires_grad]
    optimizer = DPOptimizer(
        torch.optim.SGD(chosen, lr=terms.lr),
        noise_multiplier=0.0,
        max_grad_norm=terms.clip,
        expected_batch_size=4,
    )
    inputs = examples.inputs.clone().requires_grad_()
    for _ in range(3):
        scored = ranker.list_ranker(inputs, where=examples.where)
        LOSSES["softmax"](scored, examples.gains, where=examples.where).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    expected = flatten(ranker, names) - start
    found = lab.delta(engine, start, examples, terms)
    assert np.linalg.norm(found) > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_without_privacy_a_step_is_plain_sgd_on_the_sum_of_losses(lab):
    engine, start = lab.engine_and_start("head")
    examples = lab.moments("head", LENGTHS)
    ranker = lab.ranker_at("head", start)
    losses = LOSSES["softmax"](
        scores(ranker, examples, kept="embeddings"), examples.gains, where=examples.where
    )
    losses.sum().backward()
    values = dict(ranker.named_parameters())
    expected = torch.cat(
        [values[name].grad.flatten() for name in trainable_names(ranker, "head")]
    )
    found = -lab.delta(engine, start, examples, lab.plain)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("trained", RANKINGS)
def test_whatever_stands_in_padding_changes_nothing(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS, padding=2)
    terms = lab.terms(clip=0.1)
    expected = lab.delta(engine, start, lab.moments(trained, LENGTHS), terms)
    assert np.array_equal(lab.delta(engine, start, examples, terms), expected)
    examples.inputs[~examples.where] = math.nan
    examples.gains[~examples.where] = math.nan
    assert np.array_equal(lab.delta(engine, start, examples, terms), expected)


@pytest.mark.parametrize("trained", RANKINGS)
def test_the_order_of_moments_changes_nothing_beyond_rounding(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)
    terms = lab.terms(steps=2, rate=0.6, clip=0.2, noise_multiplier=0.5)
    turned = lab.chosen(examples, [2, 0, 3, 1])
    np.testing.assert_allclose(
        lab.delta(engine, start, turned, terms),
        lab.delta(engine, start, examples, terms),
        atol=1e-6,
    )


def test_a_large_draw_is_taken_in_parts_and_is_still_one_step(lab):
    engine, start = lab.engine_and_start("taste")
    examples = lab.moments("taste", [2, 3] * 35)
    terms = lab.terms(clip=0.3, noise_multiplier=0.0)
    alone = [lab.delta(engine, start, lab.chosen(examples, [row]), terms) for row in range(70)]
    whole = lab.delta(engine, start, examples, terms)
    np.testing.assert_allclose(whole, np.sum(alone, axis=0), atol=1e-5)
    noisy = lab.terms(clip=0.3, noise_multiplier=1.0)
    nothing = lab.delta(engine, start, lab.chosen(examples, []), noisy)
    found = lab.delta(engine, start, examples, noisy) - whole
    np.testing.assert_allclose(found, nothing, atol=1e-6)


@pytest.mark.parametrize("trained", RANKINGS)
def test_a_moment_that_is_not_finite_counts_as_zero_and_is_counted(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)
    others = lab.without(examples, 1)
    examples.inputs[1, 2] = math.inf
    terms = lab.terms(clip=0.2)
    visit = Visit(examples=examples, source=SeededSource(5))
    (trained_,) = engine.train(start, [visit], terms=terms)
    assert trained_.non_finite == 1
    np.testing.assert_allclose(
        trained_.delta, lab.delta(engine, start, others, terms), atol=1e-6
    )


def test_a_visit_leaves_no_tensor_behind(lab):
    engine, start = lab.engine_and_start("all")
    examples = lab.moments("all", LENGTHS)
    terms = lab.terms(steps=2)

    def tensors():
        return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())

    lab.delta(engine, start, examples, terms)
    gc.collect()
    gc.disable()
    try:
        before = tensors()
        for _ in range(2):
            lab.delta(engine, start, examples, terms)
        assert tensors() <= before
    finally:
        gc.enable()


@pytest.mark.parametrize("trained", RANKINGS)
def test_training_lowers_the_loss_of_the_moments_it_trains_on(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples, kept = lab.moments(trained, LENGTHS), ranking(trained).inputs

    def loss(parameters):
        with torch.no_grad():
            scored = scores(lab.ranker_at(trained, parameters), examples, kept=kept)
            return float(LOSSES["softmax"](scored, examples.gains, where=examples.where).sum())

    terms = lab.terms(steps=10, clip=1.0, denominator=4.0, lr=0.3)
    assert loss(start + lab.delta(engine, start, examples, terms)) < 0.97 * loss(start)
