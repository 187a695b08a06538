"""A device's moments as tensors: what it trains on."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from client.engine import Examples
from client.isolation import Isolated
from photos.library import Moment
from ranking.model.encoder import PhotoEncoder
from ranking.parameters import place

PHOTOS_AT_ONCE = 16
"""Photos of every call of the encoder, black ones among them: with another number another
kernel may round otherwise, and a photo's embedding would say how many others there are. More
at once is no faster on one core, and wastes more on the last call."""

NO_PHOTO = np.zeros((0, 0, 0, 3), np.uint8)
"""The photos of a library without moments, where there is nothing to join."""

NO_FEEDBACK = np.zeros(0, np.int64)
"""The feedback of such a library."""


def examples(
    moments: Sequence[Moment],
    *,
    encoder: PhotoEncoder | None,
    rows: Callable[[NDArray[np.uint8]], Tensor] | None = None,
) -> Examples:
    """Returns moments padded to the longest; none at all is legal.

    Args:
        moments: The moments, such as those of the training split.
        encoder: The frozen encoder, which sees every photo once and no padding; None keeps the
            pixels.
        rows: Gives the encoder's embeddings of what stands for the photos; None embeds them.
    """
    lengths = torch.tensor([len(moment.photos) for moment in moments], dtype=torch.int64)
    longest = int(lengths.max()) if moments else 0
    where = torch.arange(longest) < lengths[:, None]
    photos = np.concatenate([moment.photos for moment in moments] or [NO_PHOTO])
    kept = rows(photos) if rows else _rows(photos, encoder)
    feedback = np.concatenate([moment.feedback for moment in moments] or [NO_FEEDBACK])
    return Examples(
        inputs=_padded(kept, where=where),
        gains=_padded(torch.from_numpy(2.0**feedback - 1).float(), where=where),
        where=where,
        numbers=torch.tensor([moment.number for moment in moments], dtype=torch.int64),
    )


@torch.no_grad()
def embed(encoder: PhotoEncoder, photos: NDArray[np.uint8]) -> Tensor:
    """Returns [n, width] embeddings of ``photos`` [n, side, side, 3], on the host.

    A photo's embedding is the same, bit for bit, whatever other photos there are.
    """
    device = place(encoder)
    found = torch.empty(len(photos), encoder.width)
    with Isolated():
        for first in range(0, len(photos), PHOTOS_AT_ONCE):
            some = photos[first : first + PHOTOS_AT_ONCE]
            embedded = encoder(pixels(_filled(some)).to(device)).cpu()
            found[first : first + len(some)] = embedded[: len(some)]
    return found


def _rows(photos: NDArray[np.uint8], encoder: PhotoEncoder | None) -> Tensor:
    """[n, …] what is kept of photos."""
    return pixels(photos) if encoder is None else embed(encoder, photos)


def _filled(photos: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As many photos as in every call, black ones after these."""
    more = PHOTOS_AT_ONCE - len(photos)
    return np.concatenate([photos, np.zeros((more, *photos.shape[1:]), np.uint8)])


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
