"""A list model or an encoder of other sizes trains as the default one does."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from rankings import ENCODER, LIST, ranker, ranking

from client.embeddings.readings import read
from client.engine import Visit
from client.training.bookkeeping import Bookkeeping
from client.training.cohort_batch import Batch
from client.training.cohort_engine import CohortEngine
from client.training.opacus_engine import OpacusEngine
from client.training.vmapped import Vmapped
from privacy.noise import SeededSource
from ranking.sizes import Probes

SIZES = {
    "wide and deep": {"list": replace(LIST, width=96, depth=3)},
    "unattending": {"list": replace(LIST, attend=False)},
    "few features": {"list": replace(LIST, own=3, context=1, scenes=2)},
    "probes": {"list": Probes(kind="probes", own=10, scenes=8)},
    "wide encoder": {"encoder": replace(ENCODER, width=96)},
    "no context": {"context": False},
}
KINDS = [Bookkeeping, Vmapped]


def deltas(lab, kind, trained, sizes):
    engine, start = lab.engine_and_start(trained, kind, **sizes)
    work = lab.terms(steps=2, rate=0.7, clip=0.3, noise_multiplier=0.5, lr=0.2)
    visits = [
        Visit(
            examples=lab.moments(trained, lengths, seed=index, **sizes),
            source=SeededSource(7, index),
        )
        for index, lengths in enumerate(([2, 9], [12, 3, 5]))
    ]
    return np.stack([one.delta for one in engine.train(start, visits, terms=work)])


def bookkeeping(model, settings):
    return CohortEngine(Bookkeeping(model, settings))


def vmapped(model, settings):
    return CohortEngine(Vmapped(model, settings))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("trained", ["taste", "taste_scenes", "linear", "head", "lora"])
@pytest.mark.parametrize("kind", [bookkeeping, vmapped])
def test_any_sizes_train_as_opacus_does(lab, kind, trained, sizes):
    found = deltas(lab, kind, trained, SIZES[sizes])
    meant = deltas(lab, OpacusEngine, trained, SIZES[sizes])
    largest = np.abs(meant).max()
    assert largest > 0
    np.testing.assert_allclose(found, meant, rtol=0, atol=1e-5 * largest + 2**-23)


@pytest.mark.parametrize("kind", KINDS)
def test_the_tokens_gradient_is_that_of_the_closed_form(lab, kind):
    """Of the softmax loss it is Φᵀ(p − t): p of the scores, t the gains' share."""
    model, settings = ranker("taste", seed=1), ranking("taste")
    token = model.list_ranker.token.weight.detach().clone()
    examples = lab.moments("taste", [5, 3])
    found = kind(model, settings).of_moments(token, batch_of(examples))[0]
    for row, length in enumerate([5, 3]):
        readings = examples.inputs[row, :length]
        scores = model.list_ranker.score(readings[None])[0].detach()
        gains = examples.gains[row, :length]
        apart = scores.softmax(0) - gains / gains.sum()
        meant = readings[:, :33].T @ apart
        torch.testing.assert_close(found[row], meant, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("context", [True, False])
def test_a_token_without_context_learns_nothing_of_the_weights_that_it_does_not_use(
    lab, kind, context
):
    embedded = lab.moments("head", [5, 3])
    model = ranker("taste", seed=1, context=context)
    examples = read(model.list_ranker, embedded)
    token = model.list_ranker.token.weight.detach().clone()
    settings = ranking("taste", context=context)
    found = kind(model, settings).of_moments(token, batch_of(examples))[0]
    assert found[:, :10].all()
    assert bool(found[:, 10:].any()) is context


def batch_of(examples):
    return Batch(
        inputs=examples.inputs[None],
        gains=examples.gains[None],
        where=examples.where[None],
    )


def test_without_context_its_weights_have_no_gradient(lab):
    model = ranker("taste", seed=1, context=False)
    draws = torch.Generator().manual_seed(0)
    embeddings = torch.randn(2, 4, 64, generator=draws)
    where = torch.ones(2, 4, dtype=torch.bool)
    model.list_ranker(embeddings, where=where).square().sum().backward()
    gradient = model.list_ranker.token.weight.grad[0]
    assert gradient[:10].all()
    assert not gradient[10:].any()
