"""How good the public ranker is on public devices that it never saw."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photos.synthetic.attributes import NAMES
from ranking.losses.registry import LOSSES
from ranking.metrics.ndcg import ndcg, oracle_normalised, random_ndcg
from ranking.model.build import build_ranker, trainable_names
from ranking.model.lora import under_adapters
from ranking.model.ranker import Ranker
from ranking.settings import Trained
from simulations.pretraining.public_moments import PublicMoments

AT_ONCE = 64
"""Moments that are embedded in one call, which bounds the memory."""

GRADIENTS = 100
"""Held-out moments of whose gradients the median norm is taken: each is a pass of its own."""

PARTS: tuple[Trained, ...] = ("linear", "head", "lora", "all")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicFigures:
    """What `darkroom pretrain` prints.

    Attributes:
        ndcg: Oracle-normalised NDCG@1 on expected gain.
        explained: For each attribute, the share of its variance that a linear probe of the
            embedding explains on moments that the probe has not seen.
        norms: For each choice of ``ranking.trained``, the median norm of one moment's softmax
            gradient: a public measure for ``privacy.example.clip``.
    """

    ndcg: float
    explained: dict[str, float]
    norms: dict[str, float]

    def lines(self) -> Iterator[str]:
        """Yields the figures as lines of text."""
        yield f"oracle-normalised NDCG@1 on public devices that were held out: {self.ndcg:.3f}"
        yield "variance explained: " + _listed(self.explained)
        yield "median gradient norm of a moment: " + _listed(self.norms)


@torch.no_grad()
def public_figures(ranker: Ranker, held_out: PublicMoments) -> PublicFigures:
    """Judges ``ranker`` on public moments that it was not trained on."""
    batches = held_out.batches(AT_ONCE)
    embeddings = torch.cat([held_out.embedded(ranker.encoder, rows) for rows in batches])
    return PublicFigures(
        ndcg=_normalised(ranker, embeddings, held_out),
        explained=_explained(embeddings[held_out.where], held_out.facts),
        norms={part: _median_norm(ranker, held_out, part) for part in PARTS},
    )


def _normalised(ranker: Ranker, embeddings: Tensor, held_out: PublicMoments) -> float:
    scores = ranker.list_ranker(embeddings, where=held_out.where).double().numpy()
    gains, where = held_out.gains.double().numpy(), held_out.where.numpy()
    random = random_ndcg(gains, where=where, k=1)
    return oracle_normalised(ndcg(scores, gains, where=where, k=1), random)


def _explained(embeddings: Tensor, facts: Tensor) -> dict[str, float]:
    """Fits on the first half of the photos, measures on the second."""
    half = len(embeddings) // 2
    inputs = np.pad(embeddings.double().numpy(), ((0, 0), (0, 1)), constant_values=1)
    targets = facts[:, : len(NAMES)].double().numpy()
    weights = np.linalg.lstsq(inputs[:half], targets[:half])[0]
    left = targets[half:] - inputs[half:] @ weights
    explained = 1 - (left**2).mean(0) / targets[half:].var(0)
    return dict(zip(NAMES, explained.tolist(), strict=True))


@torch.enable_grad()
def _median_norm(ranker: Ranker, held_out: PublicMoments, trained: Trained) -> float:
    """Of the softmax loss on the feedback given, as devices have it."""
    copy = _copied(ranker, trained)
    names = trainable_names(copy, trained)
    parameters = [value for name, value in copy.named_parameters() if name in names]
    norms = []
    for row in held_out.batches(1)[:GRADIENTS]:
        where = held_out.where[row]
        scores = copy.list_ranker(held_out.embedded(copy.encoder, row), where=where)
        loss = LOSSES["softmax"](scores, held_out.given[row], where=where).sum()
        gradients = torch.autograd.grad(loss, parameters)
        norms.append(torch.cat([gradient.flatten() for gradient in gradients]).norm())
    return float(torch.stack(norms).median())


def _copied(ranker: Ranker, trained: Trained) -> Ranker:
    """The same function, with untrained adapters where ``trained`` has some."""
    copy = build_ranker(trained, generator=torch.Generator().manual_seed(0))
    copy.load_state_dict(under_adapters(ranker.state_dict(), copy.state_dict()))
    return copy


def _listed(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in values.items())
