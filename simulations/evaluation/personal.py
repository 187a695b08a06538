"""Held-out devices with a taste of their own, fitted after federation. Simulation only."""

import numpy as np
import torch
from numpy.typing import NDArray

from client.engine import Examples
from client.training.personal import personal
from protocol.messages import Vector
from ranking.losses.registry import LOSSES
from ranking.settings import Ranking
from simulations.evaluation import figures
from simulations.evaluation.figures import Figures, scores
from simulations.evaluation.judge import Judge

STRENGTHS = (3.0, 10.0, 30.0, 100.0)
"""Strengths among which is chosen, about a factor of three apart. At 1 a device follows the
noise of its twelve moments; at 100 hardly anything moves."""


def personal_figures(
    judge: Judge, ranking: Ranking, moments: list[Examples], *, released: Vector
) -> Figures:
    """Judges each held-out device by weights that it fitted to its own training moments.

    The strength of the prior is chosen by the training loss on the held-out moments of *other*
    devices: of the even ones for the odd ones, and the other way round.

    Args:
        judge: Its ranker is overwritten, and holds ``released`` again at the end.
        ranking: What is trained; its inputs are readings.
        moments: Readings of the training moments of each held-out device, in order.
        released: [trainable] the federated weights.
    """
    held_out = judge.held_out
    owner = held_out.device_of
    found = np.zeros((len(STRENGTHS), *held_out.where.shape))
    for index, own in enumerate(moments):
        mine = torch.from_numpy(owner == index)
        for row, strength in enumerate(STRENGTHS):
            fitted = personal(judge.ranker, ranking, own, start=released, strength=strength)
            judge.take(fitted)
            found[row, mine.numpy()] = _scores(judge, mine)
    judge.take(released)
    even = owner % 2 == 0
    losses = np.stack([_losses(judge, one, loss=ranking.loss) for one in found])
    for_even, for_odd = (_best(losses[:, half]) for half in (~even, even))
    chosen = np.where(even[:, None], found[for_even], found[for_odd])
    return figures.judge(chosen, held_out, losses=_losses(judge, chosen, loss=ranking.loss))


def _scores(judge: Judge, mine: torch.Tensor) -> NDArray[np.float64]:
    where = torch.from_numpy(judge.held_out.where)[mine]
    own: NDArray[np.float64] = (
        scores(judge.ranker.list_ranker, judge.embeddings[mine], where=where).double().numpy()
    )
    return own


def _losses(judge: Judge, found: NDArray[np.float64], *, loss: str) -> NDArray[np.float64]:
    """[lists] losses on the feedback that was given."""
    held_out = judge.held_out
    gains = torch.from_numpy(held_out.realised).float()
    where = torch.from_numpy(held_out.where)
    with torch.no_grad():
        of_lists = LOSSES[loss](torch.from_numpy(found).float(), gains, where=where)
    own: NDArray[np.float64] = of_lists.double().numpy()
    return own


def _best(losses: NDArray[np.float64]) -> int:
    """The row of [strengths, lists] whose mean is least; the last, strongest, without any."""
    if not losses.shape[1]:
        return len(losses) - 1
    return int(np.nanmean(losses, axis=1).argmin())
