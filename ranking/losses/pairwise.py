"""Losses that look at pairs of photos of a moment.

Both follow the signature of ``ranking.losses.Loss``.
"""

from torch import Tensor

from ranking.masking import discounts, fill, ideal_dcg, mid_ranks, ratio, softplus


def ranknet(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the logistic loss of a pair (Burges et al. 2005), averaged over the pairs.

    A pair is two photos of different gain. Averaging keeps the gradient's norm from growing
    with the list; a list of equal gains gives 0.
    """
    pairs = _better(gains, where=where)
    total = fill(_wrong(scores, where=where), where=pairs).sum((-2, -1))
    return ratio(total, pairs.sum((-2, -1)))


def lambdarank(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the sum over pairs, each weighted by what swapping it would change in NDCG.

    Burges 2010. Tied scores share the mean of their ranks; no gradient flows through the
    weights. A list of equal gains gives 0, and so does one of equal scores.
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
