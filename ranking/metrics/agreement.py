"""How well scores agree with what people said: ranks of ratings, and preferences of pairs."""

import numpy as np
from scipy.stats import rankdata

from ranking.losses.places import Floats


def spearman(scores: Floats, ratings: Floats) -> float:
    """Returns Spearman's rank correlation (Spearman 1904), ties at their mean rank.

    The correlation of the ranks of scores and ratings. By hand, ranks (1, 2, 3) against
    (1, 3, 2): 1 − 6 · (0 + 1 + 1) / (3 · 8).

    >>> round(spearman(np.array([0.1, 0.2, 0.3]), np.array([1.0, 5.0, 4.0])), 4)
    0.5

    Args:
        scores: [photos].
        ratings: [photos].

    Returns:
        From −1 to 1; NaN where all scores or all ratings are equal, or there are none.
    """
    ours, theirs = (rankdata(values) - (len(values) + 1) / 2 for values in (scores, ratings))
    size = float(np.sqrt((ours @ ours) * (theirs @ theirs)))
    return float(ours @ theirs) / size if size else float("nan")


def pairwise_accuracy(scores: Floats, pairs: Floats) -> float:
    """Returns the share of judged pairs in which the photo that most preferred scores higher.

    Equal scores count one half; a pair without a majority is left out. By hand: right, wrong
    and a tie.

    >>> pairs = np.array([[0, 1, 0.9], [1, 2, 0.1], [0, 2, 0.2]])
    >>> pairwise_accuracy(np.array([3.0, 2.0, 3.0]), pairs)
    0.8333333333333334

    Args:
        scores: [photos].
        pairs: [pairs, 3] index of the first photo, of the second, and the share of people that
            preferred the first.

    Returns:
        From 0 to 1; NaN without a pair that has a majority.
    """
    first, second = (scores[pairs[:, column].astype(int)] for column in (0, 1))
    majority = np.sign(pairs[:, 2] - 0.5)
    right = (1 + np.sign(first - second) * majority) / 2
    told = right[majority != 0]
    return float(told.mean()) if len(told) else float("nan")
