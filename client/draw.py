"""The moments of one local step, in parts that fit into memory."""

import torch
from torch import Tensor

from client.engine import Examples
from privacy.noise import Stream
from privacy.sampling import PoissonSampling

MOMENTS_AT_ONCE = 32


def draw(examples: Examples, *, sampling: PoissonSampling, stream: Stream) -> list[Examples]:
    """Returns the moments that take part, in order; nobody learns how many parts there are.

    Args:
        examples: All moments of the device.
        sampling: The coins, each keyed by its moment's own number.
        stream: Secret draws of this step.

    Returns:
        At least one part, of at most 32 moments, each without padding that none of them needs.
        A draw of no moment is one part of none.
    """
    chosen = torch.from_numpy(sampling.draw(examples.numbers.numpy(), stream=stream))
    return [
        _part(examples, rows) for rows in torch.split(chosen.nonzero()[:, 0], MOMENTS_AT_ONCE)
    ]


def _part(examples: Examples, rows: Tensor) -> Examples:
    where = examples.where[rows]
    used = where.any(0).nonzero()
    longest = int(used[-1]) + 1 if len(used) else 0
    return Examples(
        inputs=examples.inputs[rows, :longest],
        gains=examples.gains[rows, :longest],
        where=where[:, :longest],
        numbers=examples.numbers[rows],
    )
