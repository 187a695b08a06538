import gc
import math

import numpy as np
import pytest
import torch
from opacus.grad_sample import GradSampleModule
from opacus.optimizers import DPOptimizer
from scipy.stats import chi2
from torch.func import functional_call, grad

from client.engine import Visit
from client.training.scoring import scores
from privacy.noise import SecureSource, SeededSource
from ranking.losses.registry import LOSSES
from ranking.model.build import build_ranker, trainable_names
from ranking.parameters import flatten, load_flat

PARTS = ["linear", "head", "lora", "all"]
LENGTHS = [2, 6, 3, 5]


def ranker_at(trained, start):
    ranker = build_ranker(trained, generator=torch.Generator().manual_seed(1))
    load_flat(ranker, trainable_names(ranker, trained), start)
    return ranker


def functional_gradients(trained, start, examples, loss="softmax"):
    """[moments, trainable] by torch.func: one moment after another, without its padding."""
    ranker = ranker_at(trained, start)
    names = trainable_names(ranker, trained)
    values = dict(ranker.named_parameters())
    others = {name: value.detach() for name, value in values.items() if name not in names}

    class Score(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.ranker = ranker

        def forward(self, inputs, where):
            embeddings = ranker.encoder(inputs) if trained == "all" else inputs
            return ranker.list_ranker(embeddings, where=where)

    def of_moment(chosen, inputs, gains):
        where = torch.ones_like(gains, dtype=torch.bool)
        tree = {f"ranker.{name}": value for name, value in (others | chosen).items()}
        scored = functional_call(Score(), tree, (inputs, where))
        return LOSSES[loss](scored, gains, where=where).sum()

    rows = []
    for row, length in enumerate(examples.where.sum(1).tolist()):
        start_of = {name: values[name].detach() for name in names}
        found = grad(of_moment)(
            start_of,
            examples.inputs[row : row + 1, :length],
            examples.gains[row : row + 1, :length],
        )
        rows.append(torch.cat([found[name].flatten() for name in names]))
    return torch.stack(rows).double().numpy()


@pytest.mark.parametrize("trained", PARTS)
def test_each_moments_gradient_is_that_of_torch_func(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)
    expected = functional_gradients(trained, start, examples)
    for row in range(len(LENGTHS)):
        found = -lab.delta(engine, start, lab.chosen(examples, [row]), lab.plain)
        np.testing.assert_allclose(found, expected[row], atol=1e-6)


@pytest.mark.parametrize("trained", PARTS)
def test_a_step_sums_the_clipped_gradients_of_torch_func(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)
    gradients = functional_gradients(trained, start, examples)
    norms = np.linalg.norm(gradients, axis=1, keepdims=True)
    clip = float(np.median(norms))
    expected = (gradients * np.minimum(1, clip / norms)).sum(0) / 4
    terms = lab.terms(clip=clip, denominator=4.0, lr=1.0)
    np.testing.assert_allclose(-lab.delta(engine, start, examples, terms), expected, atol=1e-6)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_trains(lab, loss):
    engine, start = lab.engine_and_start("linear", loss=loss)
    examples = lab.moments("linear", LENGTHS)
    expected = functional_gradients("linear", start, examples, loss).sum(0)
    found = -lab.delta(engine, start, examples, lab.plain)
    np.testing.assert_allclose(found, expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("trained", ["head", "lora"])
def test_three_steps_without_noise_are_those_of_opacus_own_optimizer(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)
    terms = lab.terms(steps=3, clip=0.2, denominator=4.0)
    ranker = ranker_at(trained, start)
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
    ranker = ranker_at("head", start)
    losses = LOSSES["softmax"](scores(ranker, examples), examples.gains, where=examples.where)
    losses.sum().backward()
    values = dict(ranker.named_parameters())
    expected = torch.cat(
        [values[name].grad.flatten() for name in trainable_names(ranker, "head")]
    )
    found = -lab.delta(engine, start, examples, lab.plain)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("trained", PARTS)
def test_whatever_stands_in_padding_changes_nothing(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS, padding=2)
    terms = lab.terms(clip=0.1)
    expected = lab.delta(engine, start, lab.moments(trained, LENGTHS), terms)
    assert np.array_equal(lab.delta(engine, start, examples, terms), expected)
    examples.inputs[~examples.where] = math.nan
    examples.gains[~examples.where] = math.nan
    assert np.array_equal(lab.delta(engine, start, examples, terms), expected)


@pytest.mark.parametrize("trained", PARTS)
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
    engine, start = lab.engine_and_start("linear")
    examples = lab.moments("linear", [2, 3] * 35)
    terms = lab.terms(clip=0.3, noise_multiplier=0.0)
    alone = [lab.delta(engine, start, lab.chosen(examples, [row]), terms) for row in range(70)]
    whole = lab.delta(engine, start, examples, terms)
    np.testing.assert_allclose(whole, np.sum(alone, axis=0), atol=1e-5)
    noisy = lab.terms(clip=0.3, noise_multiplier=1.0)
    nothing = lab.delta(engine, start, lab.chosen(examples, []), noisy)
    found = lab.delta(engine, start, examples, noisy) - whole
    np.testing.assert_allclose(found, nothing, atol=1e-6)


@pytest.mark.parametrize("trained", PARTS)
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


@pytest.mark.parametrize("trained", PARTS)
def test_a_library_without_training_moments_sends_noise_alone(lab, trained):
    engine, start = lab.engine_and_start(trained)
    nothing = lab.moments(trained, [])
    noisy = lab.delta(engine, start, nothing, lab.terms(noise_multiplier=1.0))
    assert np.count_nonzero(noisy) > 0.9 * len(noisy)
    assert not lab.delta(engine, start, nothing, lab.plain).any()


def test_a_step_that_draws_no_moment_is_a_step_of_noise(lab):
    engine, start = lab.engine_and_start("linear")
    terms = lab.terms(rate=1e-9, noise_multiplier=1.0, steps=3)
    drawn_none = lab.delta(engine, start, lab.moments("linear", LENGTHS), terms)
    nothing = lab.delta(engine, start, lab.moments("linear", []), terms)
    assert drawn_none.any()
    assert np.array_equal(drawn_none, nothing)


def test_the_noise_has_the_public_deviation_over_all_steps(lab):
    engine, start = lab.engine_and_start("head")
    terms = lab.terms(steps=4, lr=0.5, noise_multiplier=3.0, clip=0.2, denominator=8.0)
    silent = lab.moments("head", LENGTHS)
    silent.gains[:] = 0
    found = lab.delta(engine, start, silent, terms).astype(np.float64)
    deviation = 0.5 * 3.0 * 0.2 / 8.0 * math.sqrt(4)
    statistic = (found**2).sum() / deviation**2
    assert 0.001 < chi2.cdf(statistic, len(found)) < 0.999
    assert abs(found.mean()) < 4 * deviation / math.sqrt(len(found))


def test_one_moment_more_leaves_the_noise_as_it_is(lab):
    engine, start = lab.engine_and_start("head")
    terms = lab.terms(steps=2, rate=0.7, noise_multiplier=1.0)
    silent = lab.moments("head", [2, 6, 3, 5, 4])
    silent.gains[:] = 0
    fewer = lab.delta(engine, start, lab.without(silent, 4), terms)
    assert np.array_equal(lab.delta(engine, start, silent, terms), fewer)


def test_seeded_visits_repeat_and_secure_ones_never_do(lab):
    engine, start = lab.engine_and_start("head")
    examples = lab.moments("head", LENGTHS)
    terms = lab.terms(steps=2, rate=0.5, noise_multiplier=1.0)
    visits = [SeededSource(7), SeededSource(7), SeededSource(8), SecureSource(), SecureSource()]
    found = [lab.delta(engine, start, examples, terms, source=source) for source in visits]
    assert np.array_equal(found[0], found[1])
    for one, other in ((0, 2), (0, 3), (3, 4)):
        assert not np.allclose(found[one], found[other])


def test_steps_do_not_share_their_noise(lab):
    engine, start = lab.engine_and_start("head")
    nothing = lab.moments("head", [])
    one = lab.delta(engine, start, nothing, lab.terms(noise_multiplier=1.0))
    two = lab.delta(engine, start, nothing, lab.terms(noise_multiplier=1.0, steps=2))
    assert abs(np.corrcoef(one, two - one)[0, 1]) < 0.02


def test_devices_of_one_call_do_not_touch_each_other(lab):
    engine, start = lab.engine_and_start("head")
    devices = [lab.moments("head", LENGTHS, seed=seed) for seed in (1, 2)]
    terms = lab.terms(steps=2)
    visits = [Visit(examples=own, source=SeededSource(5)) for own in (*devices, devices[0])]
    before = start.copy()
    first, second, again = engine.train(start, visits, terms=terms)
    assert np.array_equal(first.delta, again.delta)
    assert np.array_equal(second.delta, lab.delta(engine, start, devices[1], terms))
    assert first.delta.dtype == np.float32
    assert np.array_equal(start, before)


def test_parameters_that_came_read_only_are_trained(lab):
    engine, start = lab.engine_and_start("linear")
    received = start.copy()
    received.flags.writeable = False
    assert lab.delta(engine, received, lab.moments("linear", LENGTHS), lab.terms()).any()


def test_parameters_of_another_length_are_refused(lab):
    engine, start = lab.engine_and_start("linear")
    with pytest.raises(ValueError, match="float32 vector of 64 numbers"):
        lab.delta(engine, start[1:], lab.moments("linear", LENGTHS), lab.terms())


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


@pytest.mark.parametrize("trained", PARTS)
def test_training_lowers_the_loss_of_the_moments_it_trains_on(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, LENGTHS)

    def loss(parameters):
        with torch.no_grad():
            scored = scores(ranker_at(trained, parameters), examples)
            return float(LOSSES["softmax"](scored, examples.gains, where=examples.where).sum())

    terms = lab.terms(steps=10, clip=1.0, denominator=4.0, lr=0.1)
    assert loss(start + lab.delta(engine, start, examples, terms)) < 0.97 * loss(start)
