"""Losses that look at a moment as a whole.

All follow the signature of ``ranking.losses.Loss``.
"""

import torch
from torch import Tensor

from ranking.masking import discounts, fill, ideal_dcg, log_softmax, ratio, sigmoid

SHARPNESS = 1.0
"""Steepness of the smooth ranks, per unit of score: α of Qin et al. 2010. At 1 a photo that is
one below still counts a quarter (σ(-1) = 0.27) of a place above. Larger, ranks are truer and
fewer pairs have a gradient."""

SINKHORN_STEPS = 20
"""Rounds of dividing columns and then rows by their sums. Measured on 500 lists of 12 photos
with standard normal scores: a column's sum is off 1 by 0.11 on average without them, by 0.0007
after 20 and by 0.00002 after 50. Without them a gain can count more or less than once."""


def softmax(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the cross-entropy between the gains, normalised, and the softmax of the scores.

    The gradient's norm does not grow with the list. A list without any gain gives 0.

    -Σ_i (g_i / Σ_j g_j) ln(e^(s_i) / Σ_j e^(s_j)). By hand, scores (ln 3, 0) and gains (3, 1):
    ¾ ln 4/3 + ¼ ln 4.

    >>> scores, gains = Tensor([3, 1]).log(), Tensor([3, 1])
    >>> round(float(softmax(scores, gains, where=gains >= 0)), 4)
    0.5623
    """
    gains = fill(gains, where=where)
    shares = ratio(gains, gains.sum(-1, keepdim=True))
    return -(shares * log_softmax(scores, where=where)).sum(-1)


def listnet(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the cross-entropy between the softmax of the gains and that of the scores.

    The top-one form of Cao et al. 2007. A list of equal gains asks for equal scores.

    -Σ_i (e^(g_i) / Σ_j e^(g_j)) ln(e^(s_i) / Σ_j e^(s_j)). By hand, scores (0, ln 3) and gains
    (ln 3, 0): ¾ ln 4 + ¼ ln 4/3.

    >>> scores, gains = Tensor([1, 3]).log(), Tensor([3, 1]).log()
    >>> round(float(listnet(scores, gains, where=gains >= 0)), 4)
    1.1116
    """
    target = fill(log_softmax(gains, where=where).exp(), where=where)
    return -(target * log_softmax(scores, where=where)).sum(-1)


def listmle(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the negative log-likelihood of the gains' order, divided by the list's length.

    Plackett-Luce (Xia et al. 2008): each photo is chosen among those that are no better.
    Equal gains stay in each other's choice set (Breslow 1974), so that their order does not
    matter; the lowest gain is chosen from nothing worse and adds no term. A list of equal
    gains therefore gives 0.

    (1/n) Σ_i ln(Σ_(j: g_j ≤ g_i) e^(s_j)) - s_i over the photos that are not of the lowest
    gain. By hand, equal scores and gains (3, 1, 0): one of three, then one of two, ln 6 / 3.

    >>> scores, gains = Tensor([0, 0, 0]), Tensor([3, 1, 0])
    >>> round(float(listmle(scores, gains, where=gains >= 0)), 4)
    0.5973
    """
    gains = fill(gains, where=where)
    worse = (gains.unsqueeze(-1) > gains.unsqueeze(-2)) & where.unsqueeze(-2)
    no_better = (gains.unsqueeze(-1) >= gains.unsqueeze(-2)) & where.unsqueeze(-2)
    rivals = fill(scores, where=where).unsqueeze(-2).expand(no_better.shape)
    chosen = -log_softmax(rivals, where=no_better).diagonal(dim1=-2, dim2=-1)
    terms = fill(chosen, where=worse.any(-1) & where).sum(-1)
    return ratio(terms, where.sum(-1))


def approx_ndcg(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns 1 minus NDCG with smooth ranks (Qin et al. 2010); 0 for a list without gain.

    1 - Σ_i g_i / log₂(1 + r_i) / ideal, where r_i = 1 + Σ_(j≠i) σ(s_j - s_i). By hand, equal
    scores and gains (1, 0): both have rank 1½, and 1 - 1 / log₂ 2.5.

    >>> scores, gains = Tensor([0, 0]), Tensor([1, 0])
    >>> round(float(approx_ndcg(scores, gains, where=gains >= 0)), 4)
    0.2435
    """
    gains, scores = fill(gains, where=where), fill(scores, where=where)
    above = sigmoid(SHARPNESS * (scores.unsqueeze(-2) - scores.unsqueeze(-1)))
    itself = torch.eye(scores.shape[-1], dtype=torch.bool, device=scores.device)
    ranks = 1 + fill(above, where=where.unsqueeze(-2) & ~itself).sum(-1)
    return _missing(gains * discounts(ranks), gains=gains)


def neural_ndcg(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns 1 minus NDCG of softly sorted gains; 0 for a list without gain.

    Pobrotyn and Białobrzeski 2021: NeuralSort (Grover et al. 2019) at temperature 1, made
    doubly stochastic by a fixed number of Sinkhorn steps.

    1 - Σ_k (P g)_k / log₂(1 + k) / ideal, where row k of P is, before the Sinkhorn steps, the
    softmax over j of (n + 1 - 2k) s_j - Σ_i |s_j - s_i|. By hand, equal scores and gains
    (1, 0): each place holds ½, and 1 - ½ (1 + 1 / log₂ 3).

    >>> scores, gains = Tensor([0, 0]), Tensor([1, 0])
    >>> round(float(neural_ndcg(scores, gains, where=gains >= 0)), 4)
    0.1845
    """
    gains = fill(gains, where=where)
    places = 1 + torch.arange(scores.shape[-1], device=scores.device)
    filled = places <= where.sum(-1, keepdim=True)
    cells = filled.unsqueeze(-1) & where.unsqueeze(-2)
    sorting = fill(_neural_sort(scores, where=where, cells=cells, places=places), where=cells)
    for _ in range(SINKHORN_STEPS):
        sorting = ratio(sorting, sorting.sum(-2, keepdim=True))
        sorting = ratio(sorting, sorting.sum(-1, keepdim=True))
    softly_sorted = (sorting @ gains.unsqueeze(-1)).squeeze(-1)
    return _missing(softly_sorted * discounts(places.to(gains.dtype)), gains=gains)


def _neural_sort(scores: Tensor, *, where: Tensor, cells: Tensor, places: Tensor) -> Tensor:
    scores = fill(scores, where=where)
    apart = (scores.unsqueeze(-2) - scores.unsqueeze(-1)).abs()
    spread = fill(apart, where=where.unsqueeze(-2)).sum(-1)
    lift = where.sum(-1, keepdim=True) + 1 - 2 * places
    logits = lift.unsqueeze(-1) * scores.unsqueeze(-2) - spread.unsqueeze(-2)
    return log_softmax(logits, where=cells).exp()


def _missing(discounted: Tensor, *, gains: Tensor) -> Tensor:
    """[lists]: the share of the ideal DCG that is not reached; 0 where there is none."""
    ideal = ideal_dcg(gains)
    return ratio(ideal - discounted.sum(-1), ideal)
