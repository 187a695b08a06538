"""How well a model ranks: figures per held-out device, for the simulation only."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ranking.losses.registry import LOSSES
from ranking.metrics.ndcg import best_shot, ndcg, random_ndcg
from ranking.model.list_ranker import ListRanker
from simulations.evaluation.held_out import HeldOut
from simulations.evaluation.own_metric import OwnMetric, own_metric

CUTOFFS = (1, 3, 5)
"""Photos from the top of a list that NDCG counts. Runs are compared by the first; metrics.jsonl
has all."""

LISTS_AT_ONCE = 1024
"""Lists that are scored in one call, whose embeddings take 3 MB: without it memory follows the
number of held-out devices."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Figures:
    """What each held-out device would see; every array is [devices], NaN without a list.

    Attributes:
        ndcg: Mean NDCG by cutoff, on expected gain.
        random: Expected NDCG of a random order, by cutoff.
        best_shot: Share of lists whose first photo is the best one.
        loss: Mean training loss on the feedback given; NaN for an order without scores.
        skipped: Lists without signal, left out of every mean.
        own: The metric of a public set that has one; lists without signal count there too.
    """

    ndcg: dict[int, Floats]
    random: dict[int, Floats]
    best_shot: Floats
    loss: Floats
    skipped: int
    own: OwnMetric | None = None

    def normalised(self, cutoff: int = 1) -> float:
        """(ndcg − random) / (ideal − random), each a mean over devices.

        A ratio of means: a list on which every order is nearly as good would blow up its own
        ratio, but weighs little here.
        """
        return mean(self.contributions(cutoff))

    def contributions(self, cutoff: int = 1) -> Floats:
        """[devices] whose mean is ``normalised(cutoff)``: what a bootstrap resamples."""
        return (self.ndcg[cutoff] - self.random[cutoff]) / (1 - mean(self.random[cutoff]))


def mean(values: Floats) -> float:
    """The mean over the devices that have a value; NaN when none has."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def evaluate(
    ranker: ListRanker, embeddings: Tensor, held_out: HeldOut, *, loss: str
) -> Figures:
    """Judges ``ranker`` on the embeddings [lists, photos, d] of ``held_out``.

    Raises:
        ValueError: A score is not finite.
    """
    where = torch.from_numpy(held_out.where)
    found = scores(ranker, embeddings, where=where)
    with torch.no_grad():
        losses = LOSSES[loss](found, torch.from_numpy(held_out.realised).float(), where=where)
    return judge(found.double().numpy(), held_out, losses=losses.double().numpy())


def judge(scores: Floats, held_out: HeldOut, *, losses: Floats | None = None) -> Figures:
    """Judges ``scores`` [lists, photos] of any origin, such as those of a ceiling.

    Raises:
        ValueError: A score is not finite: no order follows from such.
    """
    where, gains = held_out.where, held_out.expected
    if not np.isfinite(scores[where]).all():
        raise ValueError("its scores are not finite")
    by_cutoff = {k: ndcg(scores, gains, where=where, k=k) for k in CUTOFFS}
    by_chance = {k: random_ndcg(gains, where=where, k=k) for k in CUTOFFS}
    best = best_shot(scores, gains, where=where)
    if losses is None:
        losses = np.full(len(where), np.nan)
    signal = np.isfinite(by_cutoff[1])
    means = _DeviceMeans(held_out, signal)
    return Figures(
        ndcg={k: means(values) for k, values in by_cutoff.items()},
        random={k: means(values) for k, values in by_chance.items()},
        best_shot=means(best),
        loss=means(losses),
        skipped=int((~signal).sum()),
        own=own_metric(
            scores,
            where,
            held_out.judgements,
            held_out.device_of,
            devices=len(held_out.devices),
        ),
    )


class _DeviceMeans:
    """Means over the lists with signal of each device that has one."""

    def __init__(self, held_out: HeldOut, signal: NDArray[np.bool_]) -> None:
        self._signal = signal
        self._owner = held_out.device_of[signal]
        self._lists = np.bincount(self._owner, minlength=len(held_out.devices))

    def __call__(self, values: Floats) -> Floats:
        sums = np.bincount(self._owner, values[self._signal], minlength=len(self._lists))
        nothing = np.full(len(sums), np.nan)
        means: Floats = np.divide(sums, self._lists, out=nothing, where=self._lists > 0)
        return means


@torch.no_grad()
def scores(ranker: ListRanker, embeddings: Tensor, *, where: Tensor) -> Tensor:
    """Returns [lists, photos] scores, a bounded number of lists at a time."""
    starts = range(0, len(where), LISTS_AT_ONCE)
    chunks = [slice(start, start + LISTS_AT_ONCE) for start in starts]
    parts = [ranker(embeddings[rows], where=where[rows]) for rows in chunks]
    return torch.cat([torch.empty(0, where.shape[1]), *parts])
