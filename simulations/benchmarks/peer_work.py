"""The work that ``peer_benchmark`` gives to every framework; it needs torch alone."""

import torch
from torch import Tensor

from ranking.sizes import ListTransformer

EMBEDDING = 64
"""Numbers of an embedding: those of the default encoder."""

LIST = ListTransformer(
    kind="transformer",
    width=64,
    depth=2,
    heads=4,
    hidden=64,
    own=10,
    context=23,
    scenes=8,
    attend=True,
)
"""Sizes of the default list model; written out, for pfl's interpreter has no Hydra."""

DEVICES, LISTS, PHOTOS, BATCH, LR = 50, 50, 12, 10, 0.1
"""Devices of a round, lists of each, photos of a list, lists of a batch, and the learning rate,
the same for every framework: with others no figure compares."""

WARM_UP = 2
"""Rounds that count for nothing: start-up, caches, the first pages of memory."""


def lists(device: int) -> tuple[Tensor, Tensor]:
    """Returns a device's embeddings [lists, photos, 64] and gains [lists, photos]."""
    draws = torch.Generator().manual_seed(device)
    gains = torch.randint(0, 4, (LISTS, PHOTOS), generator=draws).float()
    return torch.rand(LISTS, PHOTOS, EMBEDDING, generator=draws), gains
