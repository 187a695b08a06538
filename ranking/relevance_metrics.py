"""Metrics of retrieval: they see relevant photos and others, nothing in between.

A photo is relevant where its gain is at least ``relevant``, by default that of a favourite.
As in ``ranking.metrics`` ties are averaged over their orders, exactly, and a list whose photos
are all relevant, or none, gives NaN.
"""

import numpy as np
from scipy.special import comb

from ranking.places import Floats, Mask, Places, first_places, with_signal

FAVOURITE_GAIN = 3.0


def precision(
    scores: Floats, gains: Floats, *, where: Mask, k: int, relevant: float = FAVOURITE_GAIN
) -> Floats:
    """Returns the share of relevant photos among the first ``k``, or among all if fewer.

    Args:
        scores: [lists, items].
        gains: [lists, items].
        where: [lists, items] bool, False for padding.
        k: Places that count, at least 1.
        relevant: Least gain of a relevant photo.

    Returns:
        [lists] in [0, 1]; NaN without signal.

    Raises:
        ValueError: ``k`` is below 1, or a score is NaN.
    """
    hits = _hits(gains, where=where, relevant=relevant)
    shown = Places.of(scores, where=where).mean(np.ones_like(first_places(k)))
    places = np.clip(where.sum(-1), 1, k)
    return with_signal((shown * hits).sum(-1) / places, hits, where=where)


def reciprocal_rank(
    scores: Floats, gains: Floats, *, where: Mask, relevant: float = FAVOURITE_GAIN
) -> Floats:
    """Returns 1 / the place of the first relevant photo; its mean over lists is MRR.

    The first of r relevant photos in a tie of t stands at its p-th place in C(t - p, r - 1) of
    C(t, r) cases.

    Args:
        scores: [lists, items].
        gains: [lists, items].
        where: [lists, items] bool, False for padding.
        relevant: Least gain of a relevant photo.

    Returns:
        [lists] in (0, 1]; NaN without signal.
    """
    hits = _hits(gains, where=where, relevant=relevant)
    places = Places.of(scores, where=where)
    first = np.where(hits > 0, places.above, scores.shape[-1]).argmin(-1)[..., None]
    above, tied = (
        np.take_along_axis(counts, first, -1) for counts in (places.above, places.tied)
    )
    found = np.take_along_axis((places.level * hits[..., None, :]).sum(-1), first, -1)
    position = np.arange(1, scores.shape[-1] + 1)
    chances = comb(tied - position, found - 1) * (position <= tied)
    total = np.maximum(comb(tied, found), 1)
    return with_signal((chances / total / (above + position)).sum(-1), hits, where=where)


def average_precision(
    scores: Floats, gains: Floats, *, where: Mask, relevant: float = FAVOURITE_GAIN
) -> Floats:
    """Returns average precision; its mean over lists is MAP.

    Ties by the closed form of McSherry and Najork 2008.

    Args:
        scores: [lists, items].
        gains: [lists, items].
        where: [lists, items] bool, False for padding.
        relevant: Least gain of a relevant photo.

    Returns:
        [lists] in (0, 1]; NaN without signal.
    """
    hits = _hits(gains, where=where, relevant=relevant)
    places = Places.of(scores, where=where)
    before = (places.higher * hits[..., None, :]).sum(-1)[..., None]
    found = (places.level * hits[..., None, :]).sum(-1)[..., None]
    above, tied = places.above[..., None], places.tied[..., None]
    position = np.arange(1, scores.shape[-1] + 1)
    others = (position - 1) * (found - 1) / np.maximum(tied - 1, 1)
    precisions = (before + 1 + others) / (above + position) * (position <= tied)
    mean = precisions.sum(-1) / np.maximum(tied[..., 0], 1)
    return with_signal((mean * hits).sum(-1) / np.maximum(hits.sum(-1), 1), hits, where=where)


def _hits(gains: Floats, *, where: Mask, relevant: float) -> Floats:
    return np.where(where, gains >= relevant, 0).astype(np.float64)
