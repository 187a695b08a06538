"""Arithmetic on padded lists whose padding leaks into neither values nor gradients."""

import torch
from torch import Tensor


def fill(values: Tensor, *, where: Tensor) -> Tensor:
    """Returns ``values`` with 0 for padding; its gradient there is 0, even of NaN."""
    return torch.where(where, values, torch.zeros_like(values))


def log_softmax(scores: Tensor, *, where: Tensor) -> Tensor:
    """Returns log-softmax over what ``where`` holds, 0 for padding; finite for empty lists.

    Padding counts as minus infinity, below any score that is a number. Of minus infinities
    alone, as in an empty list, a softmax is NaN until ``fill`` takes it out.
    """
    lowered = torch.where(where, scores, torch.full_like(scores, -torch.inf))
    return fill(lowered.log_softmax(-1), where=where)


def ratio(values: Tensor, totals: Tensor) -> Tensor:
    """Returns ``values / totals``, and 0 with no gradient where the total is 0."""
    there = totals != 0
    return fill(values / torch.where(there, totals, torch.ones_like(totals)), where=there)


def sigmoid(values: Tensor) -> Tensor:
    """Returns 1 / (1 + exp(-values)), each element the same bits wherever it stands.

    torch's own computes the last elements of a tensor by another formula than the others, so
    that a list's loss would depend on how many lists there are.
    """
    return (1 + torch.tanh(values / 2)) / 2


def softplus(values: Tensor) -> Tensor:
    """Returns log(1 + exp(values)), each element the same bits wherever it stands.

    The gradient is the sigmoid, ½ at 0. See ``sigmoid`` for why torch's own is not used.
    """
    size = values.abs()
    return (values + size) / 2 + torch.log1p(torch.exp(-size))


def discounts(ranks: Tensor) -> Tensor:
    """Returns DCG's weight of each rank, from 1 (Järvelin and Kekäläinen 2002).

    1 / log₂(1 + rank): rank 1 counts 1 and rank 3 counts ½.

    >>> discounts(torch.tensor([1.0, 3.0])).tolist()
    [1.0, 0.5]
    """
    return 1 / torch.log2(1 + ranks)


def ideal_dcg(gains: Tensor) -> Tensor:
    """Returns [lists] the largest DCG of lists whose padding has gain 0.

    Σ_k g₍k₎ / log₂(1 + k), with g₍k₎ the k-th largest gain. By hand: 3 + 0 + 1 / log₂ 4.

    >>> round(float(ideal_dcg(torch.tensor([1.0, 3.0, 1.0]))), 4)
    4.1309
    """
    ranks = 1 + torch.arange(gains.shape[-1], dtype=gains.dtype, device=gains.device)
    return (gains.sort(dim=-1, descending=True).values * discounts(ranks)).sum(-1)


def mid_ranks(scores: Tensor, *, where: Tensor) -> Tensor:
    """Returns ranks from 1, best first; ties share their mean, and no gradient flows.

    1 + (how many are above) + (how many others are level) / 2.

    >>> mid_ranks(torch.tensor([2.0, 5.0, 2.0]), where=torch.ones(3, dtype=torch.bool)).tolist()
    [2.5, 1.0, 2.5]
    """
    rivals = where.unsqueeze(-2)
    above = (scores.unsqueeze(-2) > scores.unsqueeze(-1)) & rivals
    level = (scores.unsqueeze(-2) == scores.unsqueeze(-1)) & rivals
    return above.sum(-1) + (level.sum(-1).to(scores.dtype) + 1) / 2
