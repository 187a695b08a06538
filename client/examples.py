"""A device's moments as tensors: what it trains on."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

from client.engine import Examples
from photos.library import Moment
from ranking.encoder import EMBEDDING
from ranking.parameters import place

PHOTOS_AT_ONCE = 64
NO_PHOTO = np.zeros((0, 0, 0, 3), np.uint8)
NO_FEEDBACK = np.zeros(0, np.int64)


def examples(moments: Sequence[Moment], *, encoder: nn.Module | None) -> Examples:
    """Returns moments padded to the longest; none at all is legal.

    Args:
        moments: The moments, such as those of the training split.
        encoder: The frozen encoder, which sees every photo once and no padding; None keeps the
            pixels.
    """
    lengths = torch.tensor([len(moment.photos) for moment in moments], dtype=torch.int64)
    longest = int(lengths.max()) if moments else 0
    where = torch.arange(longest) < lengths[:, None]
    photos = np.concatenate([moment.photos for moment in moments] or [NO_PHOTO])
    rows = pixels(photos) if encoder is None else embed(encoder, photos)
    feedback = np.concatenate([moment.feedback for moment in moments] or [NO_FEEDBACK])
    return Examples(
        inputs=_padded(rows, where=where),
        gains=_padded(torch.from_numpy(2.0**feedback - 1).float(), where=where),
        where=where,
        numbers=torch.tensor([moment.number for moment in moments], dtype=torch.int64),
    )


@torch.no_grad()
def embed(encoder: nn.Module, photos: NDArray[np.uint8]) -> Tensor:
    """Returns [n, 64] embeddings of ``photos`` [n, side, side, 3], on the host."""
    starts = range(0, len(photos), PHOTOS_AT_ONCE)
    where = place(encoder)
    parts = [
        encoder(pixels(photos[start : start + PHOTOS_AT_ONCE]).to(where)).cpu()
        for start in starts
    ]
    return torch.cat([torch.empty(0, EMBEDDING), *parts])


def pixels(photos: NDArray[np.uint8]) -> Tensor:
    """Returns [n, 3, side, side] float32 in [0, 1] of ``photos`` [n, side, side, 3]."""
    return torch.tensor(photos).permute(0, 3, 1, 2).contiguous().float().div_(255)


def widened(values: Tensor, longest: int) -> Tensor:
    """Returns [moments, longest, …]: ``values`` [moments, photos, …] padded by zeros."""
    after = [0, 0] * (values.ndim - 2)
    return pad(values, [*after, 0, longest - values.shape[1]])


def _padded(rows: Tensor, *, where: Tensor) -> Tensor:
    """[moments, photos, …]: the rows where ``where`` holds, in order, and zeros elsewhere."""
    padded = rows.new_zeros(*where.shape, *rows.shape[1:])
    padded[where] = rows
    return padded
