"""A device's own figures: only for runs in which nothing is private."""

import numpy as np
import torch

from client.engine import Examples
from client.training.scoring import scores
from ranking.losses.registry import Loss
from ranking.metrics.ndcg import best_shot, ndcg
from ranking.model.ranker import Ranker
from ranking.settings import Inputs


@torch.no_grad()
def evaluate(
    ranker: Ranker, examples: Examples, *, loss: Loss, kept: Inputs
) -> dict[str, float]:
    """Returns the number of ``lists`` and the means of ``loss``, ``ndcg@1`` and ``best-shot``.

    Lists in which no order is better than another are left out; without any other there are no
    means.

    Args:
        ranker: The ranker to judge.
        examples: The device's held-out moments.
        loss: The training loss.
        kept: What the device keeps of a photo.
    """
    if not len(examples.numbers):
        return {"lists": 0.0}
    where, gains = examples.where.numpy(), examples.gains.double().numpy()
    scored = scores(ranker, examples, kept=kept).cpu()
    by_score = scored.double().numpy()
    figures = {
        "loss": loss(scored, examples.gains, where=examples.where).double().numpy(),
        "ndcg@1": ndcg(by_score, gains, where=where, k=1),
        "best-shot": best_shot(by_score, gains, where=where),
    }
    signal = np.isfinite(figures["ndcg@1"])
    if not signal.any():
        return {"lists": 0.0}
    means = {name: float(values[signal].mean()) for name, values in figures.items()}
    return {"lists": float(signal.sum()), **means}
