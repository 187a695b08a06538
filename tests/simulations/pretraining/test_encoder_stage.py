"""The encoder as it learns what tells the photos of a moment apart."""

import math

import numpy as np
import pytest
import torch

from photos.synthetic.attributes import NAMES, SCENES
from ranking.parameters import module_digest
from simulations.pretraining import encoder_stage, schedule
from simulations.pretraining.encoder_stage import (
    ABSOLUTE,
    PASSES,
    SCENE,
    SIGNED,
    EncoderLesson,
    within,
)


@pytest.fixture
def lesson(drawn):
    """Makes a lesson of a little encoder."""

    def lesson(seed=0, *, steps=200):
        generator = torch.Generator().manual_seed(seed)
        return EncoderLesson(drawn(seed).encoder, steps=steps, generator=generator)

    return lesson


def test_what_is_within_a_moment_is_what_is_left_of_its_mean():
    """Photos 1, 5 | 4, 6, 8 in moments of means 3 and 6, and of means 30 and 0."""
    values = torch.tensor([[1.0, 30.0], [5, 30], [4, 1], [6, -1], [8, 0]])
    where = torch.tensor([[True, True, False], [True, True, True]])
    expected = [[-2, 0], [2, 0], [-2, 1], [0, -1], [2, 0]]
    assert within(values, where).tolist() == expected


def test_what_all_photos_of_a_moment_have_in_common_is_not_within_it(moments):
    drawn = torch.randn(len(moments.pixels), 3, generator=torch.Generator().manual_seed(0))
    common = torch.arange(float(len(moments.where)))[moments.where.nonzero()[:, 0]]
    found = within(drawn + common[:, None], moments.where)
    torch.testing.assert_close(found, within(drawn, moments.where), atol=1e-4, rtol=0)


def test_the_loss_of_who_reads_nothing_is_the_variance_of_all_there_is_to_read(lesson, moments):
    """All read-outs are 0: the scene is one of eight, which costs the logarithm of eight."""
    fresh, rows = lesson(), torch.tensor([2, 0, 5])
    with torch.no_grad():
        fresh._reading.weight.zero_()
    groups = [moments.places[row][moments.where[row]].numpy() for row in rows]
    photos = np.concatenate(groups)
    facts, signed = moments.facts.double().numpy(), moments.signed.double().numpy()
    attributes = [facts[group, : len(NAMES)] for group in groups]
    apart = np.concatenate([own - own.mean(0) for own in attributes])
    expected = (
        (apart**2).mean(0).sum()
        + ABSOLUTE * (facts[photos, : len(NAMES)] ** 2).mean(0).sum()
        + SIGNED * (signed[photos] ** 2).mean(0).sum()
        + SCENE * math.log(SCENES)
    )
    assert fresh._step(moments, rows) == pytest.approx(expected, rel=1e-4)


def test_the_loss_falls_over_a_few_steps_on_the_same_moments(lesson, moments, monkeypatch):
    monkeypatch.setattr(schedule, "WARM_UP", 1)
    mine, rows = lesson(), torch.arange(6)
    losses = [mine._step(moments, rows) for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]


def test_each_moment_is_seen_as_often_as_is_said_and_the_mean_loss_returned(
    lesson, moments, monkeypatch
):
    mine, seen = lesson(), []
    monkeypatch.setattr(
        mine, "_step", lambda _, rows: seen.append(rows.tolist()) or float(len(seen))
    )
    loss = mine.learn(moments)
    counts = np.bincount([row for rows in seen for row in rows])
    assert counts.tolist() == [PASSES] * len(moments.where)
    assert loss == pytest.approx((1 + len(seen)) / 2)
    assert seen[0] != sorted(seen[0])


def test_the_same_seed_gives_the_same_bits_and_keeps_global_randomness(
    lesson, moments, monkeypatch
):
    monkeypatch.setattr(encoder_stage, "PASSES", 1)
    state, digests = torch.get_rng_state(), []
    for seed in (1, 1, 2):
        mine = lesson(seed)
        mine.learn(moments)
        digests.append(module_digest(mine.encoder))
    assert digests[0] == digests[1] != digests[2]
    assert torch.equal(torch.get_rng_state(), state)


def test_after_its_plan_a_lesson_changes_nothing(lesson, moments):
    """The rate has fallen to 0, so that the last chapter is what was planned."""
    mine, rows = lesson(steps=1), torch.arange(3)
    mine._step(moments, rows)
    before = module_digest(mine.encoder)
    mine._step(moments, rows)
    assert module_digest(mine.encoder) == before
