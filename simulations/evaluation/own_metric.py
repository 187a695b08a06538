"""The metric that a public set is published with, beside NDCG: one value for each device."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photos.library import Judgement
from ranking.metrics.agreement import pairwise_accuracy, spearman

Floats = NDArray[np.float64]
Lists = Sequence[Floats]
Metric = Callable[[Lists, Lists], float]


def _spearman(scores: Lists, ratings: Lists) -> float:
    """Over all photos of a device, as personal aesthetics are reported."""
    return spearman(np.concatenate(scores), np.concatenate(ratings))


def _pairwise(scores: Lists, pairs: Lists) -> float:
    """Over all judged pairs of a device."""
    starts = np.cumsum([0, *(len(one) for one in scores)])
    shifted = [
        one + np.array([start, start, 0]) for start, one in zip(starts, pairs, strict=False)
    ]
    return pairwise_accuracy(np.concatenate(scores), np.concatenate(shifted))


METRICS: dict[str, tuple[Metric, str]] = {
    "Spearman": (_spearman, "0 is a random order, 1 the ratings' own"),
    "Spearman with the simulated taste": (_spearman, "0 is a random order, 1 that taste's own"),
    "pairwise accuracy": (_pairwise, "0.5 is a random order, 1 every majority"),
}
"""Every metric by the name that a judgement gives, with the ends of its scale in words."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OwnMetric:
    """What a set's own metric says of an order.

    Attributes:
        name: The metric's name.
        scale: The ends of its scale, in words.
        values: [devices] NaN where it says nothing of a device.
    """

    name: str
    scale: str
    values: Floats


def own_metric(
    scores: Floats,
    where: NDArray[np.bool_],
    judgements: Sequence[Judgement | None],
    device_of: NDArray[np.int64],
    *,
    devices: int,
) -> OwnMetric | None:
    """Judges an order by the metric that its lists' judgements name; None where none does.

    Args:
        scores: [lists, photos].
        where: [lists, photos] bool, False for padding.
        judgements: [lists].
        device_of: [lists] index of the device of each list.
        devices: How many devices there are.
    """
    named = next((one.metric for one in judgements if one is not None), None)
    if named is None:
        return None
    metric, scale = METRICS[named]
    values = np.full(devices, np.nan)
    for device in np.unique(device_of):
        rows = [
            (scores[row][where[row]], one.values)
            for row, one in enumerate(judgements)
            if device_of[row] == device and one is not None
        ]
        if rows:
            values[device] = metric([one for one, _ in rows], [other for _, other in rows])
    return OwnMetric(name=named, scale=scale, values=values)
