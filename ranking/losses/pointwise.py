"""Losses that look at each photo alone, for comparison: they are not shift-invariant.

All follow the signature of ``ranking.losses.Loss``. Being made to learn an offset as well as an
order costs them much of a clipped gradient.
"""

from torch import Tensor

from ranking.masking import fill, ratio, softplus

FAVOURITE_GAIN = 3.0


def bce(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the mean logistic loss against gain / 3; 0 for an empty list."""
    targets = fill(gains, where=where) / FAVOURITE_GAIN
    scores = fill(scores, where=where)
    losses = softplus(scores) - targets * scores
    return ratio(fill(losses, where=where).sum(-1), where.sum(-1))


def mse(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the mean squared difference between scores and gains; 0 for an empty list."""
    errors = fill(scores - gains, where=where).square()
    return ratio(errors.sum(-1), where.sum(-1))
