"""The losses of one moment, by the name that ``ranking.loss`` gives them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from torch import Tensor

from ranking.losses.listwise import approx_ndcg, listmle, listnet, neural_ndcg, softmax
from ranking.losses.pairwise import lambdarank, ranknet
from ranking.losses.pointwise import bce, mse


class Loss(Protocol):
    """The loss of each list by itself, so that every moment has a gradient of its own.

    All are free of padding, whatever it holds, and do not depend on the order of the photos;
    all but the pointwise ones stay the same when a constant is added to a list's scores. Where
    a loss is undefined (no photo, no gain to win, no pair to order) it is exactly 0 and so is
    its gradient.
    """

    def __call__(self, scores: Tensor, gains: Tensor, *, where: Tensor) -> Tensor:
        """Returns the loss of each list.

        Args:
            scores: [lists, items] float; any number of leading dimensions, none included.
            gains: [lists, items] float ``2^feedback - 1``, not negative.
            where: [lists, items] bool, False for padding.

        Returns:
            [lists] losses, not negative.
        """
        ...


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "softmax": softmax,
        "ranknet": ranknet,
        "listnet": listnet,
        "listmle": listmle,
        "approx_ndcg": approx_ndcg,
        "lambdarank": lambdarank,
        "neural_ndcg": neural_ndcg,
        "bce": bce,
        "mse": mse,
    }
)
