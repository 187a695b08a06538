"""Clipped sums without a gradient of every moment."""

import numpy as np
import pytest
import torch
from hostile_weights import attacked, clean
from rankings import ranker, ranking
from torch import nn

from client.engine import Visit
from client.isolation import LEAST_MOMENTS
from client.training.bookkeeping import ALONE, Bookkeeping
from client.training.cohort_batch import Batch, CohortMoments
from client.training.cohort_engine import CohortEngine
from client.training.vmapped import Vmapped
from privacy.noise import SeededSource
from ranking.model.build import trainable_names
from ranking.parameters import flatten


def bookkeeping(ranker, ranking):
    return CohortEngine(Bookkeeping(ranker, ranking))


def test_the_norm_by_which_a_moment_is_clipped_is_its_own_too():
    engine = attacked("bookkeeping", "head")
    rows = torch.from_numpy(engine.given(clean("head")))[None]
    inputs = torch.randn(1, 9, 6, 64, generator=torch.Generator().manual_seed(1))
    gains = torch.tensor([3.0, 0, 1, 0, 0, 0]).expand(1, 9, 6)
    where = torch.ones(1, 9, 6, dtype=torch.bool)

    def norms(first, last):
        some = slice(first, last)
        batch = Batch(inputs=inputs[:, some], gains=gains[:, some], where=where[:, some])
        layers, _ = engine.gradients._layers(rows, batch)
        return torch.stack([layer.squared_norms() for layer in layers]).sum(0)[0]

    together = norms(0, 9)
    for first in range(8):
        assert norms(first, first + 2).tolist() == together[first : first + 2].tolist()


def test_the_engine_alone_gives_every_moment_a_batch_of_its_own(lab):

    examples = lab.moments("head", [3, 5, 9, 2])
    cohort = CohortMoments([examples], shape=ALONE, accelerator=torch.device("cpu"))
    batches = list(cohort.batches(np.ones(4, bool)))
    assert [batch.where.any(-1).sum().item() for batch in batches] == [1, 1, 1, 1]
    assert {tuple(batch.where.shape[:2]) for batch in batches} == {(1, LEAST_MOMENTS)}


def test_the_norm_of_a_moment_of_near_duplicates_does_not_cancel_away(lab):
    """Their gradients are a thousandth of what is summed: float32 products would be 11% off."""
    moment = lab.moments("head", [6], seed=1)
    moment.inputs[:] = moment.inputs[:, :1] + 1e-3 * moment.inputs
    visits = [Visit(examples=moment, source=SeededSource(1))]
    work = lab.terms(clip=1e-3, lr=1e3, denominator=1.0)

    engine, start = lab.engine_and_start("head", bookkeeping)
    (found,) = engine.train(start, visits, terms=work)

    # and they cancel 3,600 times over, of which the norm counts 2^-14: √(1 + 0.22²) = 1.024
    assert np.linalg.norm(found.delta.astype(float)) == pytest.approx(1 / 1.024, rel=1e-3)


def test_a_layer_that_is_not_known_is_left_to_vmap_and_said_once(lab, caplog):
    class Squared(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, items):
            return items @ self.inner.weight.t() + self.inner.bias

    def odd(ranker, ranking):
        reader = ranker.list_ranker.reader
        reader.read = Squared(reader.read)
        return CohortEngine(Bookkeeping(ranker, ranking))

    plain, settings = ranker("head", seed=1), ranking("head")
    start = flatten(plain, trainable_names(plain, "head"))
    devices = [lab.moments("head", own) for own in ([2, 6], [3])]
    visits = [Visit(examples=own, source=SeededSource(7)) for own in devices]
    work = lab.terms(steps=2, clip=0.3)
    vmapped = CohortEngine(Vmapped(plain, settings))
    expected = [one.delta for one in vmapped.train(start, visits, terms=work)]

    found = [one.delta for one in odd(plain, settings).train(start, visits, terms=work)]

    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert caplog.text.count("vmap trains instead") == 1
