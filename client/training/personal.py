"""A device's own taste: what was federated, fitted to the device's moments; it never leaves."""

from collections.abc import Sequence

import torch

from client.engine import Examples
from protocol.messages import Vector
from ranking.losses.registry import LOSSES
from ranking.model.build import trainable_names
from ranking.model.ranker import Ranker
from ranking.parameters import flatten, load_flat
from ranking.settings import Ranking

STEPS = 50
"""Iterations of L-BFGS at most. The losses of most settings are convex in a few weights, and a
dozen steps suffice; a loss that is not ends here."""


def personal(
    ranker: Ranker, ranking: Ranking, examples: Examples, *, start: Vector, strength: float
) -> Vector:
    """Returns the weights that fit a device's own moments best, shrunk to the federated ones.

    They minimise Σ loss of a moment + strength / 2 · ‖w − start‖²: the mode of a posterior
    whose prior is normal about ``start``. Nothing is clipped, noised or sent.

    Args:
        ranker: Its trained part is overwritten with the result.
        ranking: What is trained, by which loss; its inputs are readings.
        examples: Readings of the device's training moments; without any, ``start`` is returned.
        start: [trainable] the federated weights.
        strength: Precision of the prior, above 0.

    Raises:
        ValueError: What is trained is no weight of readings.
    """
    if ranking.inputs != "readings":
        raise ValueError(
            f"ranking={ranking.trained} trains more than weights of readings, which no device "
            "fits alone; take taste, taste_scenes or linear."
        )
    names = trainable_names(ranker, ranking.trained)
    load_flat(ranker, names, start)
    values = dict(ranker.named_parameters())
    own = [values[name].requires_grad_(True) for name in names]
    if len(examples.numbers):
        _fit(ranker, own, examples, loss=ranking.loss, strength=strength)
    for value in own:
        value.requires_grad_(False)
    return flatten(ranker, names)


def _fit(
    ranker: Ranker,
    own: Sequence[torch.Tensor],
    examples: Examples,
    *,
    loss: str,
    strength: float,
) -> None:
    prior = [value.detach().clone() for value in own]
    optimizer = torch.optim.LBFGS(own, max_iter=STEPS, line_search_fn="strong_wolfe")

    def objective() -> torch.Tensor:
        optimizer.zero_grad()
        scores = ranker.list_ranker.score(examples.inputs)
        of_moments = LOSSES[loss](scores, examples.gains, where=examples.where)
        away = sum((value - at).square().sum() for value, at in zip(own, prior, strict=True))
        total: torch.Tensor = of_moments.sum() + strength / 2 * away
        torch.autograd.backward(total)
        return total

    optimizer.step(objective)  # type: ignore[no-untyped-call]
