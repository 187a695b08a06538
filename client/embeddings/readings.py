"""A device's moments as the frozen list model reads them: what a taste is applied to."""

from dataclasses import replace

import torch

from client.embeddings.examples import widened
from client.engine import Examples
from client.isolation import Isolated, padded_length
from ranking.model.list_ranker import ListRanker
from ranking.parameters import place

MOMENTS_AT_ONCE = 16
"""Moments of every call of the list model, of padding among them: with another number another
kernel may round otherwise, and what is read of a moment would say how many others there are."""


@torch.no_grad()
def read(list_ranker: ListRanker, examples: Examples) -> Examples:
    """Returns ``examples`` with what is read of each photo in the place of its embedding.

    What is read of a moment is the same, bit for bit, whatever other moments there are: it is
    computed in the padded length that follows from its own, among as many others as always.

    Args:
        list_ranker: The list model; what it multiplies readings with is not looked at.
        examples: Moments of embeddings.
    """
    device, where = place(list_ranker), examples.where
    lengths = torch.tensor([padded_length(int(own.sum())) for own in where], dtype=torch.int64)
    found = torch.zeros(*where.shape, list_ranker.readings)
    for length in sorted(set(lengths.tolist())):
        rows = (lengths == length).nonzero()[:, 0]
        inputs, there = (_fitted(part[rows], length) for part in (examples.inputs, where))
        for first in range(0, len(rows), MOMENTS_AT_ONCE):
            some = slice(first, first + MOMENTS_AT_ONCE)
            with Isolated():
                values = list_ranker.read(
                    _filled(inputs[some]).to(device), where=_filled(there[some]).to(device)
                ).cpu()
            kept = min(length, found.shape[1])
            found[rows[some], :kept] = values[: len(rows[some]), :kept]
    return replace(examples, inputs=found)


def _fitted(values: torch.Tensor, length: int) -> torch.Tensor:
    """[moments, length, …]: padded by zeros, or without padding beyond ``length``."""
    return widened(values[:, :length], length)


def _filled(values: torch.Tensor) -> torch.Tensor:
    """[MOMENTS_AT_ONCE, …]: moments of padding after the others."""
    more = values.new_zeros(MOMENTS_AT_ONCE - len(values), *values.shape[1:])
    return torch.cat([values, more])
