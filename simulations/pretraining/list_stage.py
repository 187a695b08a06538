"""Meta-trains the list model: each moment has a taste of its own, which nobody has again.

A model that orders moments for any taste, given only the taste's weights, has to read from the
pixels whatever tastes are made of (in the sense of Finn et al. 2017 the adaptation is to choose
the weights, and it is all that devices do).
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from ranking.losses.registry import LOSSES
from ranking.model.list_ranker import ListRanker
from simulations.pretraining import context_functions
from simulations.pretraining.context_functions import Facts, draw_tastes, expected_gain
from simulations.pretraining.schedule import pace

BATCH, LR, EPOCHS = 64, 2e-3, 10
"""Moments of a batch, AdamW's learning rate, and passes over the moments."""

SQUARED, SCENE, FEATURES = 0.1, 0.2, 0.6
"""Weights of the squared error of the utility, of the scene's cross-entropy and of the squared
error of the features themselves, beside that of the order. Without the last six passes
explain 15% of the distance from the mean and 2% of the deviations, with it 66% and 52%."""

TOKEN_STEPS, TOKEN_LR = 300, 0.05
"""Steps of Adam on all moments at once, after which the public token moves no more."""

TOKEN_CLIP = 0.3
"""Norm to which a moment's gradient of the token is clipped: that of conf/privacy/example/.
From a token fitted without it, to the gains that were expected, training moved a population of
the public's own taste by 0.9 points of NDCG@1 the wrong way before any noise."""


class ListLesson:
    """The list model as it learns to read moments for any taste.

    Attributes:
        list_ranker: Its reader is trained, then its token on the public taste.
    """

    def __init__(
        self,
        list_ranker: ListRanker,
        *,
        generator: torch.Generator,
        without: frozenset[str] = frozenset(),
    ) -> None:
        """Begins with the reader as it is.

        Args:
            list_ranker: Changed in place.
            generator: Draws batches and tastes.
            without: Families of context functions that no taste knows.
        """
        self.list_ranker = list_ranker
        self._generator = generator
        self._without = without

    def learn(self, embeddings: Tensor, facts: Facts, scenes: Tensor) -> Iterator[float]:
        """Goes over the moments ``EPOCHS`` times and yields the mean loss of each pass.

        Args:
            embeddings: [moments, photos, width], 0 where padded.
            facts: What is in them.
            scenes: [moments] int64.
        """
        count = len(scenes)
        steps = EPOCHS * -(-count // BATCH)
        optimizer = torch.optim.AdamW(self.list_ranker.reader.parameters(), lr=LR)
        schedule = LambdaLR(optimizer, lambda at: pace(at, steps=steps))
        for _ in range(EPOCHS):
            losses = []
            order = torch.randperm(count, generator=self._generator)
            for first in range(0, count, BATCH):
                rows = order[first : first + BATCH]
                loss = self._loss(embeddings[rows], _chosen(facts, rows), scenes[rows])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                schedule.step()
                losses.append(float(loss.detach()))
            yield sum(losses) / len(losses)

    def fit_token(self, embeddings: Tensor, given: Tensor, where: Tensor) -> None:
        """Fits the token to the feedback of public owners: the start of every run.

        Each moment's gradient is clipped as devices clip it. So a device whose owner likes what
        the public likes has nothing to learn: only noise moves it away.

        Args:
            embeddings: [moments, photos, width].
            given: [moments, photos] gain of the feedback that was given.
            where: [moments, photos] bool.
        """
        with torch.no_grad():
            readings = self.list_ranker.read(embeddings, where=where)
        token = self.list_ranker.token
        nn.init.zeros_(token.weight)
        optimizer = torch.optim.Adam(token.parameters(), lr=TOKEN_LR)
        for _ in range(TOKEN_STEPS):
            token.weight.grad = self._clipped_mean(readings, given, where)[None]
            optimizer.step()

    def _clipped_mean(self, readings: Tensor, given: Tensor, where: Tensor) -> Tensor:
        """[features] mean of the moments' gradients of the token, each clipped."""
        scores = self.list_ranker.score(readings).detach().requires_grad_()
        loss = LOSSES["softmax"](scores, given, where=where).sum()
        (of_scores,) = torch.autograd.grad(loss, scores)
        features = readings[..., : self.list_ranker.sizes.features]
        gradients = (of_scores.unsqueeze(-1) * features).sum(1)
        norms = gradients.norm(dim=-1, keepdim=True)
        mean: Tensor = (gradients * (TOKEN_CLIP / norms.clamp(min=TOKEN_CLIP))).mean(0)
        return mean

    def _loss(self, embeddings: Tensor, facts: Facts, scenes: Tensor) -> Tensor:
        where = facts.where
        tastes = draw_tastes(
            len(where), own=facts.own, generator=self._generator, without=self._without
        )
        tastes[:, self.list_ranker.sizes.features :] = 0
        utility = _utility(facts, tastes)
        read, logits = self.list_ranker.reader(embeddings, where=where)
        scores = (read * tastes[:, None, : read.shape[-1]]).sum(-1)
        gains = expected_gain(utility, facts)
        order = LOSSES["softmax"](scores, gains, where=where).mean()
        apart = _centred(scores - utility, where).square().sum(-1) / where.sum(-1)
        scene = cross_entropy(logits, scenes)
        squared = SQUARED * apart.mean() + FEATURES * _squared_error(read, facts)
        return order + squared + SCENE * scene


def _utility(facts: Facts, tastes: Tensor) -> Tensor:
    """[moments, photos] the utility; what the context gives is centred within a moment."""
    values = context_functions.features(facts) * tastes.unsqueeze(1)
    own, context = values[..., : facts.own].sum(-1), values[..., facts.own :].sum(-1)
    return own + _centred(context, facts.where)


def _squared_error(read: Tensor, facts: Facts) -> Tensor:
    """Sum over the features of the mean squared error within moments."""
    where = facts.where.unsqueeze(1)
    meant = context_functions.features(facts)[..., : read.shape[-1]]
    left = (read - meant).transpose(1, 2)
    return _centred(left, where.expand(left.shape)).square().sum() / facts.where.sum()


def _centred(values: Tensor, where: Tensor) -> Tensor:
    """[moments, photos] less the moment's mean; 0 where padded."""
    values = values.masked_fill(~where, 0)
    return (values - values.sum(-1, keepdim=True) / where.sum(-1, keepdim=True)) * where


def _chosen(facts: Facts, rows: Tensor) -> Facts:
    return Facts(
        attributes=facts.attributes[rows], bursts=facts.bursts[rows], where=facts.where[rows]
    )
