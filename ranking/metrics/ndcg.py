"""How well scores order the photos of a moment: one value per list.

Every metric takes scores and gains of any leading dimensions, items last, and a mask. Equal
scores count as the mean over the orders in which they could stand, so that no metric depends
on the order of the photos. A list without signal (fewer than two photos, or all gains equal)
has no better and no worse order: it gives NaN, which the caller skips and counts.
"""

import numpy as np

from ranking.losses.places import Floats, Mask, Places, first_places, with_signal


def ndcg(scores: Floats, gains: Floats, *, where: Mask, k: int) -> Floats:
    """Returns NDCG at ``k`` with the gains as they are (Järvelin and Kekäläinen 2002).

    Ties are averaged (McSherry and Najork 2008).

    DCG / ideal DCG, where DCG is Σ_i g_i · (the mean of 1 / log₂(1 + place) over the places of
    its tie), and places beyond ``k`` count 0. By hand, gains (3, 0, 1) from the best score
    down: (3 + 1/2) / (3 + 1 / log₂ 3).

    >>> scores, gains = np.array([3.0, 2.0, 1.0]), np.array([3.0, 0.0, 1.0])
    >>> round(float(ndcg(scores, gains, where=gains >= 0, k=3)), 4)
    0.9639

    Args:
        scores: [lists, items].
        gains: [lists, items], not negative: ``2^feedback - 1``, or its expectation.
        where: [lists, items] bool, False for padding.
        k: Places that count, at least 1.

    Returns:
        [lists] in [0, 1]; NaN without signal.

    Raises:
        ValueError: ``k`` is below 1, or a score is NaN.
    """
    reached = _dcg(scores, gains, where=where, k=k)
    ideal = _dcg(gains, gains, where=where, k=k)
    return with_signal(reached / np.where(ideal > 0, ideal, 1), gains, where=where)


def random_ndcg(gains: Floats, *, where: Mask, k: int) -> Floats:
    """Returns the expected NDCG of a random order, in closed form; same as ``ndcg`` of a tie.

    (mean gain) · Σ_k 1 / log₂(1 + k) / ideal DCG. By hand, gains (3, 0, 1) at 1: 4/3 of 3.

    >>> gains = np.array([3.0, 0.0, 1.0])
    >>> round(float(random_ndcg(gains, where=gains >= 0, k=1)), 4)
    0.4444
    """
    return ndcg(np.zeros_like(gains), gains, where=where, k=k)


def best_shot(scores: Floats, gains: Floats, *, where: Mask) -> Floats:
    """Returns whether the top photo has the largest gain of its list.

    (photos of the largest gain that are tied at the top) / (photos that are tied at the top).

    >>> scores, gains = np.array([2.0, 2.0, 1.0]), np.array([3.0, 0.0, 1.0])
    >>> float(best_shot(scores, gains, where=gains >= 0))
    0.5

    Args:
        scores: [lists, items].
        gains: [lists, items].
        where: [lists, items] bool, False for padding.

    Returns:
        [lists] 0 or 1, or the share of such photos among those tied at the top; NaN without
        signal.
    """
    largest = np.where(where, gains, -np.inf).max(-1, keepdims=True, initial=-np.inf)
    top = Places.of(scores, where=where).mean(np.ones(1))
    return with_signal((top * (gains == largest)).sum(-1), gains, where=where)


def kendall_tau(scores: Floats, gains: Floats, *, where: Mask) -> Floats:
    """Returns Kendall's tau-b between scores and gains (Kendall 1945).

    (pairs in the same order - pairs in the other) / √(pairs that scores tell apart · pairs that
    gains tell apart). By hand, scores (3, 2, 1) and gains (3, 0, 1): (2 - 1) / 3.

    >>> scores, gains = np.array([3.0, 2.0, 1.0]), np.array([3.0, 0.0, 1.0])
    >>> round(float(kendall_tau(scores, gains, where=gains >= 0)), 4)
    0.3333

    Returns:
        [lists] in [-1, 1]; NaN without signal, and 0 where all scores are equal, so that a
        ranker cannot have a list skipped by saying nothing about it.
    """
    by_score = _comparisons(scores, where=where)
    by_gain = _comparisons(gains, where=where)
    agreement = (by_score * by_gain).sum((-2, -1))
    ordered = (by_score**2).sum((-2, -1)) * (by_gain**2).sum((-2, -1))
    tau = agreement / np.sqrt(np.where(ordered > 0, ordered, 1))
    return with_signal(tau, gains, where=where)


def oracle_normalised(reached: Floats, random: Floats) -> float:
    """Returns how far rankings came from random (0) to the best possible order (1).

    The ratio of sums Σ(ndcg - random) / Σ(1 - random), not the mean of the ratios: where random
    is nearly as good as the best order a list's own ratio is a quotient of two small numbers,
    and a handful of such lists would rule the mean. On gains that are the true expected ones,
    1 is the Bayes order; on realised feedback it is the feedback's own, which no ranker knows.

    By hand, two lists of which the second is easy: (0.3 + 0.1) / (0.5 + 0.3).

    >>> round(oracle_normalised(np.array([0.8, 0.8]), np.array([0.5, 0.7])), 4)
    0.5

    Args:
        reached: [lists] of ``ndcg``.
        random: [lists] of ``random_ndcg``.

    Returns:
        At most 1; NaN where no list has signal. Lists of NaN are skipped.
    """
    there = ~np.isnan(reached)
    if not there.any():
        return float("nan")
    won = (reached[there] - random[there]).sum()
    return float(won / (1 - random[there]).sum())


def _dcg(scores: Floats, gains: Floats, *, where: Mask, k: int) -> Floats:
    discounts = 1 / np.log2(1 + first_places(k))
    worth = Places.of(scores, where=where).mean(discounts)
    return np.asarray((worth * np.where(where, gains, 0)).sum(-1))


def _comparisons(values: Floats, *, where: Mask) -> Floats:
    """[lists, items, items]: 1 where the row's value is the larger, -1 the smaller, else 0."""
    places = Places.of(values, where=where)
    return places.higher.swapaxes(-2, -1).astype(np.float64) - places.higher
