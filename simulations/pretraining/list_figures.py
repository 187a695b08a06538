"""How well a list model reads public moments that it was not trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ranking.metrics.ndcg import ndcg, oracle_normalised, random_ndcg
from ranking.model.list_ranker import ListRanker
from ranking.model.ranker import Ranker
from ranking.settings import Ranking
from simulations.pretraining.context_functions import FAMILIES, features
from simulations.pretraining.encoder_figures import listed
from simulations.pretraining.gradient_norms import gradient_norms
from simulations.pretraining.moments.embedded_moments import EmbeddedMoments


@dataclass(frozen=True, kw_only=True, slots=True)
class ListFigures:
    """What `darkroom pretrain --stage list` prints.

    Attributes:
        ndcg: Oracle-normalised NDCG@1 on expected gain under the public taste.
        explained: For each attribute and each family of context functions, the share of its
            variance within moments that is explained by what is read for it, as it is; of a
            family the mean over its functions.
        scenes: Share of moments whose scene is told.
        norms: For choices of ``ranking``, the median norm of one moment's softmax gradient: a
            public measure for ``privacy.example.clip``.
    """

    ndcg: float
    explained: dict[str, float]
    scenes: float
    norms: dict[str, float]

    def lines(self) -> Iterator[str]:
        """Yields the figures as lines of text."""
        yield f"oracle-normalised NDCG@1 on public devices that were held out: {self.ndcg:.3f}"
        yield "variance explained within moments: " + listed(self.explained)
        yield f"scenes told: {self.scenes:.2f}"
        yield "median gradient norm of a moment: " + listed(self.norms)


@torch.no_grad()
def list_figures(
    ranker: Ranker, ranking: Ranking, judged: EmbeddedMoments, *, names: Sequence[str]
) -> ListFigures:
    """Judges the list model of ``ranker`` on moments that it was not trained on.

    Args:
        ranker: The ranker.
        ranking: Its settings.
        judged: The moments.
        names: Of the photos' attributes.
    """
    own = ranker.list_ranker
    read, logits = own.reader(judged.embeddings, where=judged.where)
    meant = features(judged.facts)[..., : read.shape[-1]]
    return ListFigures(
        ndcg=_normalised(own, judged),
        explained=_by_family(explained_within(read, meant, judged.where), names),
        scenes=float((logits.argmax(-1) == judged.scenes).float().mean()),
        norms=gradient_norms(ranker, ranking, judged),
    )


def _normalised(own: ListRanker, judged: EmbeddedMoments) -> float:
    where, gains = judged.where.numpy(), judged.gains.double().numpy()
    scores = own(judged.embeddings, where=judged.where).double().numpy()
    random = random_ndcg(gains, where=where, k=1)
    return oracle_normalised(ndcg(scores, gains, where=where, k=1), random)


def _by_family(explained: Tensor, names: Sequence[str]) -> dict[str, float]:
    first = own = len(names)
    shares = dict(zip(names, explained[:own].tolist(), strict=True))
    for name, family in FAMILIES.items():
        after = first + family.size(own)
        if first < len(explained):
            shares[name] = float(explained[first:after].mean())
        first = after
    return shares


def explained_within(read: Tensor, meant: Tensor, where: Tensor) -> Tensor:
    """Returns [features] 1 − Σ (read − meant)² / Σ meant², both less their moment's mean.

    Args:
        read: [moments, photos, features].
        meant: [moments, photos, features].
        where: [moments, photos] bool.
    """
    there = where.unsqueeze(-1)

    def centred(values: Tensor) -> Tensor:
        kept = values * there
        found: Tensor = (kept - kept.sum(1, keepdim=True) / there.sum(1, keepdim=True)) * there
        return found

    left = (centred(read) - centred(meant)).square().sum((0, 1))
    return 1 - left / centred(meant).square().sum((0, 1))
