"""Losses that look at pairs of photos of a moment.

Both follow the signature of ``ranking.losses.Loss``.
"""

from torch import Tensor

from ranking.masking import discounts, fill, ideal_dcg, mid_ranks, ratio, softplus


def ranknet(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the logistic loss of a pair (Burges et al. 2005), averaged over the pairs.

    A pair is two photos of different gain. Averaging keeps the gradient's norm from growing
    with the list; a list of equal gains gives 0.

    (1/m) Σ ln(1 + e^(s_j - s_i)) over the m pairs with g_i > g_j. By hand, scores (ln 3, 0) and
    gains (1, 0): one pair, ln(1 + 1/3).

    >>> scores, gains = Tensor([3, 1]).log(), Tensor([1, 0])
    >>> round(float(ranknet(scores, gains, where=gains >= 0)), 4)
    0.2877
    """
    pairs = _better(gains, where=where)
    total = fill(_wrong(scores, where=where), where=pairs).sum((-2, -1))
    return ratio(total, pairs.sum((-2, -1)))


def lambdarank(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the sum over pairs, each weighted by what swapping it would change in NDCG.

    Burges 2010. Tied scores share the mean of their ranks; no gradient flows through the
    weights. A list of equal gains gives 0, and so does one of equal scores.

    Σ (g_i - g_j) |d_i - d_j| ln(1 + e^(s_j - s_i)) / ideal over the pairs with g_i > g_j, where
    d = 1 / log₂(1 + rank). By hand, scores (0, ln 3) and gains (1, 0): (1 - 1 / log₂ 3) ln 4.

    >>> scores, gains = Tensor([1, 3]).log(), Tensor([1, 0])
    >>> round(float(lambdarank(scores, gains, where=gains >= 0)), 4)
    0.5116
    """
    gains = fill(gains, where=where)
    worth = discounts(mid_ranks(scores, where=where))
    swap = (worth.unsqueeze(-1) - worth.unsqueeze(-2)).abs()
    gap = gains.unsqueeze(-1) - gains.unsqueeze(-2)
    terms = fill(gap * swap * _wrong(scores, where=where), where=_better(gains, where=where))
    return ratio(terms.sum((-2, -1)), ideal_dcg(gains))


def _better(gains: Tensor, *, where: Tensor) -> Tensor:
    """[lists, items, items] bool: the row's photo has a larger gain than the column's."""
    there = where.unsqueeze(-1) & where.unsqueeze(-2)
    return (gains.unsqueeze(-1) > gains.unsqueeze(-2)) & there


def _wrong(scores: Tensor, *, where: Tensor) -> Tensor:
    """[lists, items, items]: logistic loss of placing the row's photo above the column's."""
    scores = fill(scores, where=where)
    return softplus(scores.unsqueeze(-2) - scores.unsqueeze(-1))
