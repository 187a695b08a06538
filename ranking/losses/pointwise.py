"""Losses that look at each photo alone, for comparison: they are not shift-invariant.

All follow the signature of ``ranking.losses.Loss``. Being made to learn an offset as well as an
order costs them much of a clipped gradient.
"""

from torch import Tensor

from ranking.masking import fill, ratio, softplus

FAVOURITE_GAIN = 3.0
"""The largest gain: 2² - 1 of a favourite. ``bce`` divides by it, so that targets are
probabilities; a larger target would leave the loss without a least value."""


def bce(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the mean logistic loss against gain / 3; 0 for an empty list.

    (1/n) Σ_i ln(1 + e^(s_i)) - s_i g_i / 3. By hand, scores (ln 3, 0) and gains (3, 0):
    (ln 4 - ln 3 + ln 2) / 2 = ½ ln 8/3.

    >>> scores, gains = Tensor([3, 1]).log(), Tensor([3, 0])
    >>> round(float(bce(scores, gains, where=gains >= 0)), 4)
    0.4904
    """
    targets = fill(gains, where=where) / FAVOURITE_GAIN
    scores = fill(scores, where=where)
    losses = softplus(scores) - targets * scores
    return ratio(fill(losses, where=where).sum(-1), where.sum(-1))


def mse(scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
    """Returns the mean squared difference between scores and gains; 0 for an empty list.

    (1/n) Σ_i (s_i - g_i)². By hand, scores (1, 1) and gains (3, 0): (4 + 1) / 2.

    >>> scores, gains = Tensor([1, 1]), Tensor([3, 0])
    >>> float(mse(scores, gains, where=gains >= 0))
    2.5
    """
    errors = fill(scores - gains, where=where).square()
    return ratio(errors.sum(-1), where.sum(-1))
