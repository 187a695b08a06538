"""One moment more or less moves one step of the whole client by a bounded amount, or else."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rankings import LIST
from torch import nn

from client.training.opacus_engine import OpacusEngine
from client.training.scoring import Scorer
from privacy.noise import SeededSource, Source
from ranking.settings import RANKINGS

FLOAT_SLACK = 1e-5
WIDE = {"list": replace(LIST, width=96)}
CASES = {"a token": ("taste", {}), "a wide list model": ("head", WIDE), "pixels": ("all", {})}
each_case = pytest.mark.parametrize(("trained", "changes"), CASES.values(), ids=CASES)


class ByPhoto(nn.Module):
    """Scores as a ``Scorer`` does, and takes each photo's score from a row of its own."""

    def __init__(self, ranker, kept):
        super().__init__()
        self.encoder = ranker.encoder if kept == "pixels" else nn.Identity()
        self.scorer = Scorer(ranker, kept="embeddings" if kept == "pixels" else kept)

    def forward(self, inputs, where):
        photos = where.shape[1]
        rows = (one.repeat_interleave(photos, 0) for one in (self.encoder(inputs), where))
        scores = self.scorer(*rows).view(-1, photos, photos)
        return scores.diagonal(dim1=1, dim2=2)


class PhotoEngine(OpacusEngine):
    """The wrong unit: every photo is clipped by itself, as if the photo were the example."""

    def __init__(self, ranker, ranking):
        super().__init__(ranker, ranking)
        self._scorer = ByPhoto(ranker, ranking.inputs)

    def _gather_photos(self, batch):
        pass

    def _forget_padding(self, batch):
        padding = ~batch.where[0].flatten()
        for parameter in self._parameters:
            parameter.grad_sample[padding] = 0


@dataclass(frozen=True)
class Later:
    """The draws of step ``step``, for a visit that begins there."""

    source: Source
    step: int
    secure = False

    def stream(self, purpose, step):
        return self.source.stream(purpose, self.step + step)


def moved(lab, engine, start, examples, row, terms, source):
    """By how much the client's function moves when a moment is taken away."""
    whole = lab.delta(engine, start, examples, terms, source=source)
    less = lab.delta(engine, start, lab.without(examples, row), terms, source=source)
    return float(np.linalg.norm(whole.astype(np.float64) - less.astype(np.float64)))


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    trained=st.sampled_from(sorted(RANKINGS)),
    lengths=st.lists(st.integers(2, 5), min_size=1, max_size=4),
    row=st.integers(0, 3),
    rate=st.sampled_from([0.5, 1.0]),
    clip=st.sampled_from([0.01, 0.3, 5.0]),
    scale=st.sampled_from([0.1, 1.0, 30.0]),
    seed=st.integers(0, 1_000),
    step=st.integers(0, 3),
)
def test_a_moment_moves_a_step_by_at_most_lr_clip_over_denominator(
    *, lab, trained, lengths, row, rate, clip, scale, seed, step
):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, lengths, seed=seed, scale=scale)
    terms = lab.terms(rate=rate, clip=clip, lr=0.5, denominator=2.0)
    source = Later(SeededSource(seed), step)
    distance = moved(lab, engine, start, examples, row % len(lengths), terms, source)
    assert distance <= 0.5 * clip / 2.0 * (1 + FLOAT_SLACK) + FLOAT_SLACK


@pytest.mark.parametrize("trained", ["taste", "head", "all"])
def test_the_bound_is_reached_by_a_moment_that_is_clipped(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, [4, 6, 3])
    terms = lab.terms(clip=0.1, lr=0.5, denominator=2.0)
    distance = moved(lab, engine, start, examples, 1, terms, SeededSource(1))
    assert distance == pytest.approx(0.5 * 0.1 / 2.0, rel=1e-3)


@pytest.mark.parametrize("trained", ["taste", "head", "all"])
def test_a_visit_is_its_steps_one_after_another_each_bounded_given_the_last(lab, trained):
    engine, start = lab.engine_and_start(trained)
    examples = lab.moments(trained, [4, 6, 3])
    terms = lab.terms(rate=0.6, clip=0.1, noise_multiplier=1.0)
    source = SeededSource(4)
    reached = start
    for step in range(3):
        later = Later(source, step)
        silent = lab.terms(rate=0.6, clip=0.1)
        distance = moved(lab, engine, reached, examples, 1, silent, later)
        assert distance <= 0.5 * 0.1 / 2.0 * (1 + FLOAT_SLACK) + FLOAT_SLACK
        reached = reached + lab.delta(engine, reached, examples, terms, source=later)
    whole = lab.terms(rate=0.6, clip=0.1, noise_multiplier=1.0, steps=3)
    np.testing.assert_allclose(
        start + lab.delta(engine, start, examples, whole, source=source), reached, atol=1e-6
    )


@each_case
def test_clipping_photos_instead_of_moments_breaks_the_bound(lab, trained, changes):
    examples = lab.moments(trained, [4, 6, 3], **changes)
    examples.gains[:, 1:] = 0
    terms = lab.terms(clip=0.001, lr=1.0, denominator=1.0)
    right, start = lab.engine_and_start(trained, **changes)
    wrong, _ = lab.engine_and_start(trained, PhotoEngine, **changes)
    source = SeededSource(1)
    assert moved(lab, right, start, examples, 1, terms, source) <= 0.001 * 1.01 + FLOAT_SLACK
    assert moved(lab, wrong, start, examples, 1, terms, source) > 0.001 * 2


@each_case
def test_the_wrong_unit_is_the_same_function_where_nothing_is_clipped(lab, trained, changes):
    examples = lab.moments(trained, [4, 6, 3], **changes)
    right, start = lab.engine_and_start(trained, **changes)
    wrong, _ = lab.engine_and_start(trained, PhotoEngine, **changes)
    np.testing.assert_allclose(
        lab.delta(wrong, start, examples, lab.plain),
        lab.delta(right, start, examples, lab.plain),
        atol=2e-6,
    )
