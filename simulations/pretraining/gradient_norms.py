"""Norms of one moment's gradient, for what may be trained: public, and a measure for clips."""

import torch

from protocol.rebuild import to_plain
from ranking.losses.registry import LOSSES
from ranking.model.build import build_ranker, trainable_names
from ranking.model.lora import under_adapters
from ranking.model.ranker import Ranker
from ranking.settings import RANKINGS, Lora, Ranking, Trained
from simulations.pretraining.moments.embedded_moments import EmbeddedMoments

GRADIENTS = 100
"""Held-out moments of whose gradients the median norm is taken: each is a pass of its own."""

PARTS: tuple[Trained, ...] = ("taste", "taste_scenes", "linear", "head", "lora")
"""What needs no pixels."""

RANK = 4
"""Rank of the adapters whose gradients are measured: that of ``conf/ranking/lora.yaml``."""


@torch.enable_grad()
def gradient_norms(
    ranker: Ranker, ranking: Ranking, judged: EmbeddedMoments
) -> dict[str, float]:
    """Returns the median norm of the softmax loss's gradient on the feedback that was given.

    Args:
        ranker: Judged; nothing is changed.
        ranking: Its settings.
        judged: Public moments; the first are taken.
    """
    return {part: _median_norm(ranker, ranking, part, judged) for part in PARTS}


def _median_norm(
    ranker: Ranker, ranking: Ranking, trained: Trained, judged: EmbeddedMoments
) -> float:
    copy = _copied(ranker, ranking, trained)
    names = trainable_names(copy, trained)
    parameters = [value for name, value in copy.named_parameters() if name in names]
    norms = []
    for row in range(min(GRADIENTS, len(judged.where))):
        where = judged.where[row : row + 1]
        scores = copy.list_ranker(judged.embeddings[row : row + 1], where=where)
        loss = LOSSES["softmax"](scores, judged.given[row : row + 1], where=where).sum()
        gradients = torch.autograd.grad(loss, parameters)
        norms.append(torch.cat([gradient.flatten() for gradient in gradients]).norm())
    return float(torch.stack(norms).median())


def _copied(ranker: Ranker, ranking: Ranking, trained: Trained) -> Ranker:
    """The same function, with untrained adapters where ``trained`` has some."""
    own = {name: getattr(ranking, name) for name in to_plain(ranking) if name != "rank"}
    more = {"rank": RANK} if RANKINGS[trained] is Lora else {}
    settings = RANKINGS[trained](**{**own, "trained": trained, **more})
    copy = build_ranker(settings, generator=torch.Generator().manual_seed(0))
    copy.load_state_dict(under_adapters(ranker.state_dict(), copy.state_dict()))
    return copy
