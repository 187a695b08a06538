"""The list model as it learns to read moments for any taste."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, pad

from ranking.losses.registry import LOSSES
from ranking.model.list_ranker import ListRanker
from ranking.parameters import module_digest
from ranking.sizes import Probes
from simulations.pretraining import list_stage, schedule
from simulations.pretraining.context_functions import (
    Facts,
    draw_tastes,
    expected_gain,
    features,
    known,
)
from simulations.pretraining.list_stage import EPOCHS, ListLesson

OWN = 10  # features of a drawn photo by itself
CERTAIN = 1e4  # a logit beside which the others have no probability


class Perfect(nn.Module):
    """Reads of the moments that it was made for what is in them, and their scenes."""

    def __init__(self, facts: Facts, scenes: Tensor, *, count: int) -> None:
        super().__init__()
        self.features = features(facts)[..., :count]
        self.logits = CERTAIN * one_hot(scenes, 8).float()

    def forward(self, embeddings: Tensor, *, where: Tensor) -> tuple[Tensor, Tensor]:
        return self.features, self.logits


@pytest.fixture
def lesson(drawn):
    """Makes a lesson of a little list model."""

    def lesson(seed=0, *, without=frozenset(), **changes):
        generator = torch.Generator().manual_seed(seed)
        own = drawn(seed, **changes).list_ranker
        return ListLesson(own, generator=generator, without=without)

    return lesson


@pytest.fixture
def perfect(lesson, little, embedded):
    """Makes a lesson whose reader, of so many features of context, knows everything."""

    def perfect(context=23, *, without=frozenset()):
        sizes = replace(little().list, context=context)
        mine = lesson(5, list=sizes, without=without)
        mine.list_ranker.reader = Perfect(embedded.facts, embedded.scenes, count=OWN + context)
        return mine

    return perfect


def loss_of(lesson: ListLesson, embedded) -> float:
    return float(lesson._loss(embedded.embeddings, embedded.facts, embedded.scenes))


@pytest.mark.parametrize("without", [frozenset(), frozenset({"rank", "distance"})])
@pytest.mark.parametrize("context", known(OWN))
def test_who_reads_all_has_the_loss_of_the_utility_itself_of_the_features_that_are_read(
    perfect, embedded, context, without
):
    """Neither the scene costs anything nor an error; tastes beyond what is read are zero."""
    tastes = draw_tastes(
        len(embedded.where),
        own=OWN,
        generator=torch.Generator().manual_seed(5),
        without=without,
    )
    utility = features(embedded.facts) * tastes.unsqueeze(1)
    own, among = utility[..., :OWN].sum(-1), utility[..., OWN : OWN + context].sum(-1)
    where = embedded.where
    mean = (among * where).sum(1, keepdim=True) / where.sum(1, keepdim=True)
    utility = (own + among - mean) * where
    gains = expected_gain(utility, embedded.facts)
    expected = float(LOSSES["softmax"](utility, gains, where=where).mean())
    assert loss_of(perfect(context, without=without), embedded) == pytest.approx(expected)


def test_a_utility_that_is_the_same_for_all_photos_of_a_moment_changes_no_loss(
    perfect, embedded
):
    mine = perfect()
    before = loss_of(mine, embedded)
    mine = perfect()
    moved = torch.randn(len(embedded.where), 1, 33, generator=torch.Generator().manual_seed(0))
    mine.list_ranker.reader.features = mine.list_ranker.reader.features + moved
    assert loss_of(mine, embedded) == pytest.approx(before, abs=1e-4)


@pytest.mark.parametrize("part", ["features", "logits"])
def test_who_misreads_anything_loses(perfect, embedded, part):
    best, mine = loss_of(perfect(), embedded), perfect()
    read = getattr(mine.list_ranker.reader, part)
    noise = torch.randn(read.shape, generator=torch.Generator().manual_seed(0))
    setattr(mine.list_ranker.reader, part, read + read.std() * noise)
    assert loss_of(mine, embedded) > best + 0.1


def test_the_loss_falls_and_only_the_reader_is_trained(lesson, probes, embedded, monkeypatch):
    """The embeddings begin with the attributes, which linear read-outs can tell apart."""
    monkeypatch.setattr(list_stage, "BATCH", 16)
    monkeypatch.setattr(schedule, "WARM_UP", 1)
    monkeypatch.setattr(list_stage, "LR", 2e-2)
    mine, state = lesson(list=probes), torch.get_rng_state()
    token = mine.list_ranker.token.weight.clone()
    seen = pad(embedded.attributes, (0, 22))
    losses = list(mine.learn(seen, embedded.facts, embedded.scenes))
    assert len(losses) == EPOCHS
    assert losses[-1] < 0.8 * losses[0]
    assert torch.equal(mine.list_ranker.token.weight, token)
    assert not mine.list_ranker.taste.weight.any()
    assert not mine.list_ranker.scene_token.weight.any()
    assert torch.equal(torch.get_rng_state(), state)


def test_the_same_seed_gives_the_same_bits(lesson, embedded, monkeypatch):
    monkeypatch.setattr(list_stage, "EPOCHS", 2)
    monkeypatch.setattr(list_stage, "TOKEN_STEPS", 3)
    digests = []
    for seed in (1, 1, 2):
        mine = lesson(seed)
        losses = list(mine.learn(embedded.embeddings, embedded.facts, embedded.scenes))
        mine.fit_token(embedded.embeddings, embedded.gains, embedded.where)
        digests.append((losses, module_digest(mine.list_ranker)))
    assert digests[0] == digests[1] != digests[2]


def test_the_token_becomes_the_taste_whose_order_is_asked_for():
    """Where gains are the exponential of a weighted sum of what is read, the cross-entropy is
    least at these weights and nowhere else; a token that was there before is forgotten.
    """
    sizes = Probes(kind="probes", own=2, scenes=2)
    own = ListRanker(sizes, width=3)
    draws, wanted = torch.Generator().manual_seed(0), torch.tensor([0.7, -1.0, 0.4])
    with torch.no_grad():
        for parameter in own.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws))
        own.token.weight.fill_(100)
        own.taste.weight.zero_()
        own.scene_token.weight.zero_()
    embeddings = torch.randn(60, 5, 3, generator=draws)
    where = torch.arange(5) < torch.randint(2, 6, (60, 1), generator=draws)
    gains = (own.read(embeddings, where=where)[..., :3] @ wanted).exp().detach() * where
    reader = module_digest(own.reader)
    lesson = ListLesson(own, generator=torch.Generator())
    lesson.fit_token(embeddings, gains, where)
    assert own.token.weight[0].tolist() == pytest.approx(wanted.tolist(), abs=0.01)
    assert module_digest(own.reader) == reader
    assert own.reader.read.weight.grad is None


def test_a_fitted_token_orders_public_moments_better_than_none(lesson, embedded):
    mine = lesson()
    mine.fit_token(embedded.embeddings, embedded.gains, embedded.where)
    with torch.no_grad():
        scores = mine.list_ranker(embedded.embeddings, where=embedded.where)

    def loss(of: Tensor) -> Tensor:
        return LOSSES["softmax"](of, embedded.gains, where=embedded.where).mean()

    assert loss(scores) < loss(torch.zeros_like(scores)) - 0.001
